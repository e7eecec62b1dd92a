#include "runtime/effects.h"

#include <fmt/format.h>

#include "base/log.h"

namespace slipway::runtime {
namespace {

using kube::Json;
using kube::ObjectKey;

std::string MetaText(const Json& object, const char* name) {
  const auto metadata = object.is_object() ? object.find("metadata") : object.end();
  if (metadata == object.end() || !metadata->is_object()) return {};
  const auto it = metadata->find(name);
  return it != metadata->end() && it->is_string() ? it->get<std::string>() : std::string();
}

Applied AppliedFrom(const Json& object, bool created) {
  return {{MetaText(object, "uid")}, {MetaText(object, "resourceVersion")}, created};
}

ObjectKey KeyOf(const Json& body) { return {MetaText(body, "namespace"), MetaText(body, "name")}; }

std::string Named(const kube::ApiResource& resource, const ObjectKey& key) {
  return fmt::format("{} {}", resource.kind, log::Quoted(kube::ToString(key)));
}

}  // namespace

asio::awaitable<Result<Applied>> Applier::Run(Effect effect) {
  if (auto* create = std::get_if<Create>(&effect)) {
    auto created = co_await RunCreate(std::move(*create));
    co_return created;
  }
  if (auto* apply = std::get_if<Apply>(&effect)) {
    auto applied = co_await RunApply(std::move(*apply));
    co_return applied;
  }
  auto deleted = co_await RunDelete(std::move(std::get<Delete>(effect)));
  co_return deleted;
}

asio::awaitable<Result<Applied>> Applier::RunCreate(Create create) {
  if (KeyOf(create.body).name.empty()) {
    co_return Fail(ErrorKind::kInvalid, "a create without metadata.name could be made twice");
  }
  auto request = kube::Create(create.resource, KeyOf(create.body).ns, create.body);
  const auto answer = co_await api_.Call(std::move(request));
  if (answer) co_return AppliedFrom(*answer, true);
  if (answer.error().kind != ErrorKind::kAlreadyExists) co_return std::unexpected(answer.error());
  auto adopted = co_await Adopt(std::move(create));
  co_return adopted;
}

// Something has the name: most likely our own earlier create, whose answer was lost.
asio::awaitable<Result<Applied>> Applier::Adopt(Create create) {
  const ObjectKey key = KeyOf(create.body);
  auto request = kube::Get(create.resource, key);
  const auto live = co_await api_.Call(std::move(request));
  const std::string named = Named(create.resource, key);
  if (!live && live.error().kind == ErrorKind::kNotFound) {
    co_return Fail(ErrorKind::kConflict, named + " went while it was being looked at: to be decided again");
  }
  if (!live) co_return std::unexpected(live.error());
  if (const auto difference = DifferenceOf(create.body, *live)) {
    co_return Fail(
        ErrorKind::kAlreadyExists,
        fmt::format("{} exists and is not ours: {}. Delete it, or find out who made it", named, *difference));
  }
  if (!MetaText(*live, "deletionTimestamp").empty()) {
    co_return Fail(ErrorKind::kConflict, named + " is still being deleted: to be decided again");
  }
  co_return AppliedFrom(*live, false);
}

asio::awaitable<Result<Applied>> Applier::RunApply(Apply apply) {
  auto request = kube::Apply(apply.resource, apply.key, apply.body, apply.force, apply.manager);
  const auto answer = co_await api_.Call(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  co_return AppliedFrom(*answer, false);
}

asio::awaitable<Result<Applied>> Applier::RunDelete(Delete removal) {
  if (removal.preconditions.uid.empty()) {
    co_return Fail(ErrorKind::kInvalid, Named(removal.resource, removal.key) +
                                            " is not deleted without a UID: it could be somebody else's");
  }
  auto request = kube::Delete(removal.resource, removal.key, removal.preconditions, removal.propagation);
  const auto answer = co_await api_.Call(std::move(request));
  const bool gone = answer || answer.error().kind == ErrorKind::kNotFound;
  if (gone) co_return Applied{removal.preconditions.uid, {}, false};
  if (answer.error().kind != ErrorKind::kConflict) co_return std::unexpected(answer.error());
  auto judged = co_await JudgeRefusedDelete(std::move(removal), answer.error());
  co_return judged;
}

// 409 is the same for "another UID", which is as good as gone, and for "another version", which is not.
asio::awaitable<Result<Applied>> Applier::JudgeRefusedDelete(Delete removal, Error refusal) {
  auto request = kube::Get(removal.resource, removal.key);
  const auto live = co_await api_.Call(std::move(request));
  if (!live && live.error().kind != ErrorKind::kNotFound) co_return std::unexpected(live.error());
  const bool gone = !live || MetaText(*live, "uid") != removal.preconditions.uid.value;
  if (gone) co_return Applied{removal.preconditions.uid, {}, false};
  co_return std::unexpected(std::move(refusal));
}

asio::awaitable<Result<>> Applier::StillAsSeen(kube::ApiResource resource, kube::ObjectMeta seen) {
  auto request = kube::Get(resource, seen.key);
  const auto live = co_await api_.Call(std::move(request));
  const bool gone = !live && live.error().kind == ErrorKind::kNotFound;
  if (!live && !gone) co_return std::unexpected(live.error());
  const bool same = live && MetaText(*live, "uid") == seen.uid.value &&
                    MetaText(*live, "resourceVersion") == seen.resource_version.value;
  if (same) co_return Result<>{};
  co_return Fail(ErrorKind::kConflict,
                 Named(resource, seen.key) + " has changed meanwhile: to be decided again");
}

asio::awaitable<Result<kube::ResourceVersion>> Applier::WriteStatus(kube::ApiResource resource, ObjectKey key,
                                                                    kube::Uid uid,
                                                                    kube::ResourceVersion observed,
                                                                    Json status) {
  Json metadata = {{"name", key.name}, {"uid", uid.value}, {"resourceVersion", observed.value}};
  if (!key.ns.empty()) metadata["namespace"] = key.ns;
  Json body = {{"apiVersion", kube::ApiVersion(resource)}, {"kind", resource.kind}};
  body["metadata"] = std::move(metadata);
  body["status"] = std::move(status);
  auto request = kube::ApplyStatus(resource, key, body);
  const auto answer = co_await api_.Call(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  co_return kube::ResourceVersion{MetaText(*answer, "resourceVersion")};
}

}  // namespace slipway::runtime
