#include "trigger/receiver.h"

#include <boost/asio/this_coro.hpp>

#include "base/log.h"
#include "trigger/keys.h"

namespace slipway::trigger {
namespace {

using resources::ImageBuild;

HttpResponse Denied() { return {401, "not authentic\n"}; }

// What it says, for the log: our words and what a key vouches for.
std::string Describe(const Event& event) {
  if (const auto* push = std::get_if<Push>(&event)) {
    return fmt::format("{} is at {}", log::Quoted(push->ref), push->commit);
  }
  if (const auto* pull = std::get_if<PullChange>(&event)) {
    return fmt::format("pull request {} {}", pull->number,
                       pull->closed ? "is closed" : "is at " + pull->commit);
  }
  return std::get<Nothing>(event).why;
}

}  // namespace

Receiver::Receiver(asio::any_io_executor executor, kube::Api& api, const Clock& clock,
                   ReceiverOptions options)
    : clock_(clock),
      options_(std::move(options)),
      informer_(api, {.resource = kube::kImageBuilds, .ns = options_.ns}, builds_),
      patcher_(executor, api, clock, options_.patcher),
      server_(executor, options_.server, [this](const HttpRequest& request) { return Handle(request); }),
      tasks_(executor) {}

HttpResponse Receiver::Handle(const HttpRequest& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (request.target == "/healthz") {
    if (!reads) return {405, "GET\n"};
    // Forges don't send again what was turned away: no delivery comes here before it can be judged.
    if (!informer_.synced()) return {503, "the builds are not known yet\n"};
    return {200, request.method == "GET" ? "ok\n" : ""};
  }
  if (!request.target.starts_with("/hooks/")) return {404, "not here\n"};
  if (request.method != "POST") return {405, "POST\n"};
  return Deliver(request, HookName(request.target));
}

// A name without a key, or without a build, does the work of one with: nothing tells which names there are.
HttpResponse Receiver::Deliver(const HttpRequest& request, std::string_view name) {
  const std::string key = ReadKey(options_.keys_folder, name);
  const Delivery delivery = Read(request.headers, request.body, key);
  if (!delivery.authentic) return Denied();
  if (!informer_.synced()) return {503, "the builds are not known yet\n"};
  const auto build = builds_.Get({options_.ns, std::string(name)});
  if (!build || !build->spec.trigger.webhook) return Denied();
  return Accept(delivery, *build);
}

HttpResponse Receiver::Accept(const Delivery& delivery, const ImageBuild& build) {
  log::info("webhook of {} from {}: {}", log::Quoted(build.meta.key.name), ToString(delivery.sender),
            Describe(delivery.event));
  if (const auto* nothing = std::get_if<Nothing>(&delivery.event)) {
    if (nothing->malformed) return {400, nothing->why + "\n"};
    return {202, nothing->why + "\n"};
  }
  auto patch = PatchOf(build, delivery.event, clock_.Now());
  if (!patch) return {202, "nothing to do\n"};
  if (!patcher_.Take(std::move(*patch))) return {503, "too much waits to be written\n"};
  return {202, "taken\n"};
}

asio::awaitable<void> Receiver::Run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  tasks_.Spawn("image builds", informer_.Run([] { log::info("the builds are known"); }));
  tasks_.Spawn("patches", patcher_.Run());
  co_await server_.Run();
  tasks_.Cancel();
  co_await tasks_.Join();
}

}  // namespace slipway::trigger
