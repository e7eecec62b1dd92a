// A cheap model of one Deployment: what the Deployment controller and the kubelet make of its spec, one small
// thing at a time, in random order. Its status is written now and then, so it may be behind; each write moves
// its version, as a resourceVersion does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resources/workloads.h"

namespace slipway::canary {

// Small and quick; the same on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next();
  int Below(int n) { return static_cast<int>(Next() % static_cast<std::uint64_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }

 private:
  std::uint64_t state_;
};

class Workload {
 public:
  Workload(const std::string& name, int replicas, const std::string& image, int max_unavailable, bool there);

  const resources::Deployment& object() const { return object_; }
  const std::string& image() const { return object_.containers[0].image; }
  int ready() const;
  // Ready pods that nature took and that are not there again.
  int lost() const { return lost_; }
  int version() const { return version_; }

  void Set(int replicas, const std::string& image, std::vector<std::string> configs);
  void Scale(int replicas) { Set(replicas, image(), object_.config_refs); }
  // As it was from the first: nothing rolls.
  void Configure(std::vector<std::string> configs);
  void Claim(const std::string& uid);  // empty: let go
  void Touch() { ++version_; }         // somebody writes what is of no meaning here
  // Pods of this image never become ready; empty: every image's do.
  void Spoil(std::string image) { unfit_ = std::move(image); }

  // One small thing happens.
  void Tick(Dice& dice);
  // Nature: a ready pod crashes (it stays, not ready), or is gone.
  void Lose(Dice& dice, bool gone);

 private:
  struct Group {  // pods of one template
    std::string image;
    std::string hash;
    int ready = 0;
    int waiting = 0;
  };
  Group& Newest();
  int All() const;
  void Create();
  void Start(Dice& dice);
  void RemoveOld();
  void RemoveSpare();
  void Hash();
  void Report();
  void Tidy();

  resources::Deployment object_;
  std::vector<Group> groups_;
  std::string unfit_;
  int max_unavailable_ = 0;
  int lost_ = 0;
  int version_ = 1;
};

}  // namespace slipway::canary
