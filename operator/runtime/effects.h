// What a reconcile may do to the cluster: a closed set, each idempotent. The decisions of a controller name
// their effects in their own terms; its shell renders them to these, and Applier carries them out.
//
// A Create is a POST, never an apply: a child that is already there under this name counts only when its
// whole template is ours (see IsOurs), so a forged Job is never taken for the result of a build.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>

#include "base/async.h"
#include "kube/api.h"

namespace slipway::runtime {

struct Create {
  kube::ApiResource resource;
  kube::Json body;  // complete: apiVersion, kind, metadata with name and namespace and ownerReferences, spec
};

struct Apply {
  kube::ApiResource resource;
  kube::ObjectKey key;
  kube::Json body;  // only the fields we own; metadata.uid and resourceVersion are preconditions
  bool force = true;
  std::string manager{kube::kFieldManager};
};

struct Delete {
  kube::ApiResource resource;
  kube::ObjectKey key;
  kube::Preconditions preconditions;  // a UID at least
  kube::Propagation propagation = kube::Propagation::kBackground;
};

using Effect = std::variant<Create, Apply, Delete>;

// What is now there under that name. After a Delete: the UID that went, no version.
struct Applied {
  kube::Uid uid;
  kube::ResourceVersion resource_version;
  bool created = false;  // false: it was there before, and is ours
};

// True when `live` is what the API server makes of `rendered`: each field that we sent has our value, and
// what is beyond it is one of the defaults and marks that Kubernetes itself adds (with their default values).
// An added container, volume, env, ServiceAccount or securityContext makes it somebody else's.
bool IsOurs(const kube::Json& rendered, const kube::Json& live);
// The first difference that makes `live` somebody else's, as a path and what is the matter there ("… was
// added"); nullopt when it is ours. Holds no value of `live`.
std::optional<std::string> DifferenceOf(const kube::Json& rendered, const kube::Json& live);

class Applier {
 public:
  explicit Applier(kube::Api& api) : api_(api) {}
  // kAlreadyExists from a Create: something else has that name and is not ours; the message says what
  // differs. A Delete of what is gone, or was replaced (other UID), is a success.
  asio::awaitable<Result<Applied>> Run(Effect effect);
  // Reads the object: kConflict when it is gone, is another, or is of another version than `seen`. For
  // effects that have no precondition on the object that they are decided for.
  asio::awaitable<Result<>> StillAsSeen(kube::ApiResource resource, kube::ObjectMeta seen);
  // Writes `/status` by server-side apply. `observed` is the version that the decision was made from:
  // kConflict when it has moved on. Returns the new version.
  asio::awaitable<Result<kube::ResourceVersion>> WriteStatus(kube::ApiResource resource, kube::ObjectKey key,
                                                             kube::Uid uid, kube::ResourceVersion observed,
                                                             kube::Json status);

 private:
  asio::awaitable<Result<Applied>> RunCreate(Create create);
  asio::awaitable<Result<Applied>> Adopt(Create create);
  asio::awaitable<Result<Applied>> RunApply(Apply apply);
  asio::awaitable<Result<Applied>> RunDelete(Delete removal);
  asio::awaitable<Result<Applied>> JudgeRefusedDelete(Delete removal, Error refusal);

  kube::Api& api_;
};

}  // namespace slipway::runtime
