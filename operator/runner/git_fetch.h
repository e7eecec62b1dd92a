// Brings one commit from a server into a repository that is there already, and its submodules into its files.
#pragma once

#include <filesystem>
#include <string>

#include "runner/git_command.h"

namespace slipway::runner {

struct FetchPlan {
  std::string url;
  std::string commit;  // 40 hexadecimal digits, in lower case
  std::string ref;     // where it may be found when the server gives no bare commit; may be empty
  int depth = 1;       // 0: the whole history, and the tags
  std::filesystem::path root;
};

// The commit alone where the server allows that, else by the ref, else everything. A commit that is nowhere
// is left for the checkout to miss.
Outcome<> Fetch(const Git& git, const FetchPlan& plan);

// After the checkout. By the same protocols and with the same credentials: a password goes to the URL's own
// host only; the key is offered to each host that known_hosts names, which learns nothing but its public
// half.
Outcome<> FetchSubmodules(const Git& git, const FetchPlan& plan);

}  // namespace slipway::runner
