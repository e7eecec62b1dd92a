// Requests to the API server as values: building one does no I/O, so what we would send can be tested as a
// table. (The idea is kube-rs' `kube-core`.)
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kube/object.h"

namespace slipway::kube {

enum class Verb : std::uint8_t { kGet, kPost, kPut, kPatch, kDelete };
std::string_view ToString(Verb verb);

struct Request {
  Verb verb = Verb::kGet;
  std::string target;                           // path and query, already percent-encoded
  std::string body;                             // JSON; empty for none
  std::string content_type;                     // empty when there is no body
  Duration timeout = std::chrono::seconds(30);  // for a watch: of the headers only
  bool keep_managed_fields = false;             // else they are dropped while the answer is parsed
};

struct ListParams {
  std::string label_selector;
  std::string field_selector;
  int limit = 0;  // page size; 0: the server's choice
  std::string continue_token;
  std::string resource_version;  // empty: most recent (quorum); "0": any
  bool resource_version_not_older = false;
};

struct WatchParams {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  bool send_initial_events = false;  // KEP-3157 streaming list; needs allow_bookmarks
  bool allow_bookmarks = true;
  std::chrono::seconds timeout{290};
};

struct Preconditions {
  Uid uid;  // both are sent when not empty
  ResourceVersion resource_version;
};

enum class Propagation : std::uint8_t { kBackground, kForeground, kOrphan };

// The field manager of everything that we write.
inline constexpr std::string_view kFieldManager = "slipway";

Request Get(const ApiResource& resource, const ObjectKey& key);
Request List(const ApiResource& resource, std::string_view ns, const ListParams& params);
Request Watch(const ApiResource& resource, std::string_view ns, const WatchParams& params);
Request Create(const ApiResource& resource, std::string_view ns, const Json& body);
// PUT: for Leases only, whose whole object is ours.
Request Replace(const ApiResource& resource, const ObjectKey& key, const Json& body);
// Server-side apply (KEP-555). The body carries apiVersion, kind and only the fields that we own; a
// metadata.resourceVersion or uid in it is a precondition. `force` takes over fields of other managers.
Request Apply(const ApiResource& resource, const ObjectKey& key, const Json& body, bool force,
              std::string_view manager = kFieldManager);
Request ApplyStatus(const ApiResource& resource, const ObjectKey& key, const Json& body);
// RFC 7386 merge patch, for the one list that apply can't hold safely: finalizers, guarded by
// resourceVersion.
Request MergePatch(const ApiResource& resource, const ObjectKey& key, const Json& patch);
Request MergePatchStatus(const ApiResource& resource, const ObjectKey& key, const Json& patch);
Request Delete(const ApiResource& resource, const ObjectKey& key, const Preconditions& preconditions,
               Propagation propagation = Propagation::kBackground);

}  // namespace slipway::kube
