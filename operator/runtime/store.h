// A typed cache of one kind: what the reflector last saw, decoded, without the JSON. Objects are immutable
// and shared, so that a reconciler may keep what it read across a suspension.
//
// T has a member `kube::ObjectMeta meta` and a static `Result<T> Decode(const kube::Json&)`.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "kube/object.h"

namespace slipway::runtime {

template <class T>
class Store {
 public:
  using Ptr = std::shared_ptr<const T>;

  // nullptr when it is not there.
  Ptr Get(const kube::ObjectKey& key) const {
    const auto it = objects_.find(key);
    return it == objects_.end() ? nullptr : it->second;
  }

  std::vector<Ptr> All() const {
    std::vector<Ptr> all;
    all.reserve(objects_.size());
    for (const auto& [key, object] : objects_) all.push_back(object);
    return all;
  }

  // The objects for which `predicate(const T&)` holds.
  template <class Predicate>
  std::vector<Ptr> Where(Predicate predicate) const {
    std::vector<Ptr> found;
    for (const auto& [key, object] : objects_) {
      if (predicate(*object)) found.push_back(object);
    }
    return found;
  }

  // The objects whose controller reference names `owner`.
  std::vector<Ptr> OwnedBy(const kube::Uid& owner) const {
    const auto range = by_owner_.equal_range(owner.value);
    std::vector<Ptr> owned;
    for (auto it = range.first; it != range.second; ++it) owned.push_back(objects_.at(it->second));
    return owned;
  }

  void Put(T object) {
    kube::ObjectKey key = object.meta.key;
    Erase(key);
    if (const auto* owner = object.meta.Controller()) by_owner_.emplace(owner->uid.value, key);
    objects_.emplace(std::move(key), std::make_shared<const T>(std::move(object)));
  }

  void Erase(const kube::ObjectKey& key) {
    const auto it = objects_.find(key);
    if (it == objects_.end()) return;
    if (const auto* owner = it->second->meta.Controller()) {
      const auto range = by_owner_.equal_range(owner->uid.value);
      for (auto at = range.first; at != range.second; ++at) {
        if (at->second == key) {
          by_owner_.erase(at);
          break;
        }
      }
    }
    objects_.erase(it);
  }

  std::size_t size() const { return objects_.size(); }

 private:
  std::unordered_map<kube::ObjectKey, Ptr> objects_;
  std::unordered_multimap<std::string, kube::ObjectKey> by_owner_;
};

}  // namespace slipway::runtime
