#include "kube/request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace slipway::kube {
namespace {

// RFC 3986 unreserved characters stay; all else is percent-encoded, in paths as in queries.
std::string Encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string CollectionPath(const ApiResource& resource, std::string_view ns) {
  std::string path = resource.group.empty() ? fmt::format("/api/{}", resource.version)
                                            : fmt::format("/apis/{}/{}", resource.group, resource.version);
  if (!ns.empty()) path += "/namespaces/" + Encode(ns);
  return fmt::format("{}/{}", path, resource.plural);
}

std::string ObjectPath(const ApiResource& resource, const ObjectKey& key) {
  return CollectionPath(resource, key.ns) + "/" + Encode(key.name);
}

// A query, built in order; empty values are left out.
class Query {
 public:
  Query& With(std::string_view name, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("{}{}={}", text_.empty() ? '?' : '&', name, Encode(value));
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Request WithBody(Verb verb, std::string target, const Json& body,
                 std::string_view type = "application/json") {
  // Invalid UTF-8 can't come from the API server; from a status message of ours it is replaced, not thrown.
  return {.verb = verb,
          .target = std::move(target),
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace),
          .content_type = std::string(type)};
}

Request ApplyTo(const std::string& path, const Json& body, bool force, std::string_view manager) {
  const Query query = Query().With("fieldManager", manager).With("force", force ? "true" : "");
  return WithBody(Verb::kPatch, path + query.text(), body, "application/apply-patch+yaml");
}

}  // namespace

std::string_view ToString(Verb verb) {
  switch (verb) {
    case Verb::kGet:
      return "GET";
    case Verb::kPost:
      return "POST";
    case Verb::kPut:
      return "PUT";
    case Verb::kPatch:
      return "PATCH";
    case Verb::kDelete:
      return "DELETE";
  }
  return "GET";
}

Request Get(const ApiResource& resource, const ObjectKey& key) {
  // One object is asked for to be looked at closely: who owns which field may be the question.
  return {.target = ObjectPath(resource, key), .keep_managed_fields = true};
}

Request List(const ApiResource& resource, std::string_view ns, const ListParams& params) {
  Query query;
  query.With("labelSelector", params.label_selector).With("fieldSelector", params.field_selector);
  if (params.limit > 0) query.With("limit", std::to_string(params.limit));
  // A continued list is of the version that its token holds; naming one again is refused.
  if (params.continue_token.empty()) {
    query.With("resourceVersion", params.resource_version);
    if (params.resource_version_not_older) query.With("resourceVersionMatch", "NotOlderThan");
  }
  query.With("continue", params.continue_token);
  return {.target = CollectionPath(resource, ns) + query.text(), .timeout = std::chrono::seconds(60)};
}

Request Watch(const ApiResource& resource, std::string_view ns, const WatchParams& params) {
  Query query;
  query.With("watch", "true")
      .With("labelSelector", params.label_selector)
      .With("fieldSelector", params.field_selector)
      .With("resourceVersion", params.resource_version)
      .With("allowWatchBookmarks", params.allow_bookmarks ? "true" : "");
  if (params.send_initial_events) {
    query.With("sendInitialEvents", "true").With("resourceVersionMatch", "NotOlderThan");
  }
  query.With("timeoutSeconds", std::to_string(params.timeout.count()));
  return {.target = CollectionPath(resource, ns) + query.text()};
}

Request Create(const ApiResource& resource, std::string_view ns, const Json& body) {
  const Query query = Query().With("fieldManager", kFieldManager);
  return WithBody(Verb::kPost, CollectionPath(resource, ns) + query.text(), body);
}

Request Replace(const ApiResource& resource, const ObjectKey& key, const Json& body) {
  const Query query = Query().With("fieldManager", kFieldManager);
  return WithBody(Verb::kPut, ObjectPath(resource, key) + query.text(), body);
}

Request Apply(const ApiResource& resource, const ObjectKey& key, const Json& body, bool force,
              std::string_view manager) {
  return ApplyTo(ObjectPath(resource, key), body, force, manager);
}

Request ApplyStatus(const ApiResource& resource, const ObjectKey& key, const Json& body) {
  return ApplyTo(ObjectPath(resource, key) + "/status", body, true, kFieldManager);
}

Request MergePatch(const ApiResource& resource, const ObjectKey& key, const Json& patch) {
  const Query query = Query().With("fieldManager", kFieldManager);
  return WithBody(Verb::kPatch, ObjectPath(resource, key) + query.text(), patch,
                  "application/merge-patch+json");
}

Request MergePatchStatus(const ApiResource& resource, const ObjectKey& key, const Json& patch) {
  const Query query = Query().With("fieldManager", kFieldManager);
  return WithBody(Verb::kPatch, ObjectPath(resource, key) + "/status" + query.text(), patch,
                  "application/merge-patch+json");
}

Request Delete(const ApiResource& resource, const ObjectKey& key, const Preconditions& preconditions,
               Propagation propagation) {
  Json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  switch (propagation) {
    case Propagation::kBackground:
      options["propagationPolicy"] = "Background";
      break;
    case Propagation::kForeground:
      options["propagationPolicy"] = "Foreground";
      break;
    case Propagation::kOrphan:
      options["propagationPolicy"] = "Orphan";
      break;
  }
  if (!preconditions.uid.empty()) options["preconditions"]["uid"] = preconditions.uid.value;
  if (!preconditions.resource_version.empty()) {
    options["preconditions"]["resourceVersion"] = preconditions.resource_version.value;
  }
  return WithBody(Verb::kDelete, ObjectPath(resource, key), options);
}

}  // namespace slipway::kube
