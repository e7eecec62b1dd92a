// An HTTPS server on loopback that answers as a script says, well or badly. It runs on threads of its own
// (one a connection, blocking), so that it shows nothing of the client's event loop.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kube/config.h"
#include "support/certificates.h"

namespace slipway::testing {

struct Received {
  int connection = 0;  // counted from 0 in the order of their arrival
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string client_name;  // the common name of the client's certificate; empty for none
  std::string server_name;  // what it asked for by SNI
};

// Bytes, sent after a wait.
struct Piece {
  std::string bytes;
  std::chrono::milliseconds wait{0};
};

struct Reply {
  int code = 200;
  std::string body = "{}";
  std::map<std::string, std::string> headers;
  std::vector<Piece> raw;    // sent as they are, instead of code, body and headers
  bool close_after = false;  // the connection is cut, and nothing announces it
  bool hang = false;         // nothing is sent, until the client gives up
};

// The start of a chunked answer, each piece as a chunk, and the end of it, or without `ends` an open stream.
Reply Chunked(std::vector<Piece> pieces, bool ends = true);
// A watch event's line.
std::string Line(const std::string& type, const std::string& object);

struct ServerOptions {
  bool tls = true;
  KeyPair certificate;               // empty: a good one for 127.0.0.1
  std::string client_authority_pem;  // not empty: a client certificate of it is demanded
  int cut_handshakes = 0;            // so many first connections are cut before TLS
};

class ScriptedServer {
 public:
  using Script = std::function<Reply(const Received&)>;

  // `script` is called on the server's threads, one call at a time.
  explicit ScriptedServer(Script script, ServerOptions options = {});
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  // How a client reaches it, with an authority that makes it trusted.
  kube::ClientConfig Config() const;
  const Authority& authority() const;
  int accepted() const;
  std::vector<Received> requests() const;
  // Cuts every connection that is open now.
  void CutAll();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::testing
