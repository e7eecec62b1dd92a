// Where a reflector puts what it sees. The reflector knows versions and connections; the sink knows types.
#pragma once

#include <unordered_set>

#include "kube/object.h"

namespace slipway::runtime {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // An object is there, in this state. Called for every listed, added and modified object; the same state may
  // come twice.
  virtual void Upsert(const kube::Json& object) = 0;
  // An object went.
  virtual void Remove(const kube::ObjectKey& key) = 0;
  // A complete list has been given by Upsert: whatever is not in `present` is gone.
  virtual void Retain(const std::unordered_set<kube::ObjectKey>& present) = 0;
};

}  // namespace slipway::runtime
