// Whether two URLs name the same repository, and whether a ref is the one that a spec asks for: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway::trigger {

// "host[:port]/path" of https://, http://, ssh:// and user@host:path alike: without scheme, user, the
// scheme's own port and ".git", the host in lower case. None when it is none of these. Ports of other kinds
// stay, because another server may answer there; paths are compared as they are.
std::optional<std::string> RepositoryOf(std::string_view url);

bool IsFullSha(std::string_view revision);

// Whether `ref` (refs/heads/…, refs/tags/…) is what `revision` names: a branch, a tag, HEAD or a full ref.
bool Names(std::string_view revision, std::string_view ref, std::string_view default_branch);

}  // namespace slipway::trigger
