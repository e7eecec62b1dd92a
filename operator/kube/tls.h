// Whom we trust and how we show who we are, as an OpenSSL context; and the check of a server's name.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "kube/credentials.h"

namespace slipway::kube {

// `ca` is PEM, perhaps a bundle; empty means the system's store. kInvalid when it, or the client certificate,
// does not parse.
Result<std::shared_ptr<asio::ssl::context>> MakeTlsContext(const std::string& ca, const Identity& identity);

// Makes the handshake of `tls` ask for, and insist on, a certificate of that name or address. False when it
// can't: the handshake must then not be tried.
bool ExpectServer(SSL* tls, const std::string& name, bool is_address);

// Why the server's certificate was refused; empty when it was not.
std::string WhyRefused(const SSL* tls);

// The authority in `file` when it holds a whole one; else `last`. A file that is empty, half written or gone
// must never mean the system's store.
std::string ReadAuthority(const std::string& file, const std::string& last);

}  // namespace slipway::kube
