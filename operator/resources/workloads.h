// What we keep of Kubernetes' own objects: the few fields that decisions read. Everything else is dropped as
// it arrives. Odd values in fields that we don't read never make an object undecodable.
#pragma once

#include "resources/common.h"

namespace slipway::resources {

struct Job {
  kube::ObjectMeta meta;
  bool complete = false;      // condition Complete=True
  bool failed = false;        // condition Failed=True
  std::string failed_reason;  // BackoffLimitExceeded, DeadlineExceeded, PodFailurePolicy, …
  std::string failed_message;
  int active = 0;
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;  // of Complete or Failed
  static Result<Job> Decode(const kube::Json& object);
};

struct ContainerState {
  std::string name;
  bool init = false;
  bool ready = false;
  bool running = false;
  bool terminated = false;
  int exit_code = 0;
  int restarts = 0;
  std::string reason;    // of waiting (ErrImagePull, …) or terminated (OOMKilled, Error, …)
  std::string message;   // the termination message, or the kubelet's words
  std::string image_id;  // "repository@sha256:…" where the runtime says so
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
};

struct Pod {
  kube::ObjectMeta meta;
  std::string phase;   // Pending, Running, Succeeded, Failed, Unknown
  std::string reason;  // Evicted, …
  std::string message;
  std::string ip;
  std::string node;
  bool ready = false;  // condition Ready=True
  bool scheduled = false;
  std::string unschedulable;               // message of PodScheduled=False
  std::vector<ContainerState> containers;  // init containers first, in the spec's order
  static Result<Pod> Decode(const kube::Json& object);
};

// Whether `pod` is of this Job. An ownerReference alone proves nothing: whoever may make pods may write one.
// The label comes from the Job's template, and admission keeps it for us and the Job controller.
bool IsPodOf(const Pod& pod, const kube::ObjectMeta& job);

struct ContainerPort {
  std::string name;
  int number = 0;
};

struct TemplateContainer {
  std::string name;
  std::string image;
  std::vector<ContainerPort> ports;
  bool host_port = false;
  bool has_readiness_probe = false;
};

struct Deployment {
  kube::ObjectMeta meta;
  int replicas = 1;
  bool paused = false;
  bool recreate = false;        // strategy Recreate
  std::string max_unavailable;  // "25%" or "1"; as defaulted by the server
  int min_ready_seconds = 0;
  std::map<std::string, std::string> selector;  // matchLabels
  bool selector_expressions = false;            // has matchExpressions
  std::map<std::string, std::string> template_labels;
  std::vector<TemplateContainer> containers;
  bool required_anti_affinity = false;
  std::vector<std::string> claims;       // names of PersistentVolumeClaims in the template
  std::vector<std::string> config_refs;  // names of ConfigMaps in the template, each once, sorted
  std::vector<std::string> secret_refs;  // of Secrets: volumes, env, envFrom and imagePullSecrets
  std::string template_hash;             // of the whole pod template, our own digest of it
  std::int64_t observed_generation = 0;
  int status_replicas = 0;
  int updated_replicas = 0;
  int ready_replicas = 0;
  int available_replicas = 0;
  bool progress_deadline_exceeded = false;
  static Result<Deployment> Decode(const kube::Json& object);

  // As `kubectl rollout status` has it: the spec is observed, every replica is of the new template,
  // available, and no old one is left.
  bool RolledOut() const;
};

// autoscaling/v2 HorizontalPodAutoscaler.
struct Autoscaler {
  kube::ObjectMeta meta;
  std::string target_kind;  // of spec.scaleTargetRef
  std::string target_name;
  int min_replicas = 1;
  int max_replicas = 1;
  static Result<Autoscaler> Decode(const kube::Json& object);
};

struct Service {
  kube::ObjectMeta meta;
  std::map<std::string, std::string> selector;
  int port = 0;                  // the first port
  std::string target_port;       // of the first port: a number, or a container port's name
  std::string session_affinity;  // None, ClientIP
  bool external_name = false;
  static Result<Service> Decode(const kube::Json& object);
};

}  // namespace slipway::resources
