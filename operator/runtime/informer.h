// A reflector, its typed store, and who wants to hear of changes. An object that does not decode is kept out
// of the store, reported once to `on_undecodable`, and stops nothing else.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "runtime/reflector.h"
#include "runtime/store.h"

namespace slipway::runtime {

template <class T>
class Informer final : private Sink {
 public:
  // Called with the object as it now is (or last was, when it went). It says only "look again".
  using Handler = std::function<void(const T& object)>;
  using UndecodableHandler = std::function<void(const kube::ObjectKey& key, const Error& why)>;

  // `store` may be shared by informers of several namespaces.
  Informer(kube::Api& api, ReflectorOptions options, Store<T>& store)
      : store_(store), ns_(options.ns), reflector_(api, std::move(options), *this) {}

  void OnChange(Handler handler) { handlers_.push_back(std::move(handler)); }
  void OnUndecodable(UndecodableHandler handler) { on_undecodable_ = std::move(handler); }

  asio::awaitable<void> Run(std::function<void()> on_synced) { return reflector_.Run(std::move(on_synced)); }
  bool synced() const { return reflector_.synced(); }
  const std::optional<Error>& last_error() const { return reflector_.last_error(); }

 private:
  void Upsert(const kube::Json& object) override {
    auto decoded = T::Decode(object);
    if (!decoded) return Refuse(object, decoded.error());
    refused_.erase(decoded->meta.key);
    const auto before = store_.Get(decoded->meta.key);
    if (before && before->meta.resource_version == decoded->meta.resource_version) return;
    const kube::ObjectKey key = decoded->meta.key;
    store_.Put(std::move(*decoded));
    // A replacement under the same name: whoever watched the old one must look too.
    const auto now = store_.Get(key);
    if (before && before->meta.uid != now->meta.uid) Tell(*before);
    Tell(*now);
  }
  // Lists repeat every object: the same version of it is reported once.
  void Refuse(const kube::Json& object, const Error& why) {
    auto meta = kube::DecodeMeta(object);
    const kube::ObjectKey key = meta ? meta->key : kube::ObjectKey{};
    const kube::ResourceVersion version = meta ? meta->resource_version : kube::ResourceVersion{};
    const auto said = refused_.find(key);
    if (said != refused_.end() && said->second == version) return;
    Remove(key);
    refused_[key] = version;
    log::warn("object {} can't be read: {}", log::Quoted(kube::ToString(key)), why.message);
    if (on_undecodable_) on_undecodable_(key, why);
  }
  void Remove(const kube::ObjectKey& key) override {
    refused_.erase(key);
    const auto before = store_.Get(key);
    if (!before) return;
    store_.Erase(key);
    Tell(*before);
  }
  void Retain(const std::unordered_set<kube::ObjectKey>& present) override {
    std::erase_if(refused_, [&](const auto& entry) { return !present.contains(entry.first); });
    for (const auto& object : store_.All()) {
      const bool mine = ns_.empty() || object->meta.key.ns == ns_;
      if (mine && !present.contains(object->meta.key)) Remove(object->meta.key);
    }
  }
  void Tell(const T& object) {
    for (const auto& handler : handlers_) handler(object);
  }

  Store<T>& store_;
  std::string ns_;
  Reflector reflector_;
  std::vector<Handler> handlers_;
  UndecodableHandler on_undecodable_;
  std::unordered_map<kube::ObjectKey, kube::ResourceVersion> refused_;
};

}  // namespace slipway::runtime
