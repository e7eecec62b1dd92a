// A scripted API server that shows ImageBuilds and keeps the patches of them, and clients that speak in
// bytes.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/async.h"
#include "kube/client.h"
#include "resources/image_build.h"
#include "support/scripted_server.h"

namespace slipway::trigger {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Line;
using testing::Received;
using testing::Reply;
using testing::ScriptedServer;

inline resources::ImageBuildSpec SpecOf(const std::string& url) {
  resources::ImageBuildSpec spec;
  spec.source.url = url;
  spec.source.revision = "main";
  spec.output.repository = "registry.example.com/team/app";
  return spec;
}

inline kube::Json ObjectOf(const std::string& name, const resources::ImageBuildSpec& spec,
                           const kube::Json& annotations = kube::Json::object()) {
  return {{"apiVersion", "slipway.dev/v1alpha1"},
          {"kind", "ImageBuild"},
          {"metadata",
           {{"name", name},
            {"namespace", "team"},
            {"uid", "uid-" + name},
            {"resourceVersion", "7"},
            {"generation", 1},
            {"creationTimestamp", "2026-11-21T06:00:00Z"},
            {"annotations", annotations}}},
          {"spec", resources::EncodeSpec(spec)}};
}

// The server, a client of it, and a loop on a thread of its own.
class TriggerTest : public ::testing::Test {
 protected:
  TriggerTest()
      : folder_(std::filesystem::temp_directory_path() / ("trigger-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto made = kube::Client::Make(io_.get_executor(), server_.Config(), {});
    client_ = std::move(*made);
  }
  ~TriggerTest() override { std::filesystem::remove_all(folder_); }

  Reply Answer(const Received& request) {
    if (request.method == "PATCH" && failing_patches_-- > 0) return {.code = 503, .body = "{}"};
    if (request.method != "GET") return {.code = 200};
    if (failing_watches_) return {.code = 503, .body = "{}"};
    // A client whose streaming lists broke asks for a plain one.
    if (!request.target.contains("watch=true")) {
      const kube::Json list{{"apiVersion", "slipway.dev/v1alpha1"},
                            {"kind", "ImageBuildList"},
                            {"metadata", {{"resourceVersion", "9"}}},
                            {"items", objects_}};
      return {.body = list.dump()};
    }
    std::vector<testing::Piece> pieces;
    for (const auto& object : objects_) pieces.push_back({Line("ADDED", object.dump())});
    const kube::Json end{
        {"apiVersion", "slipway.dev/v1alpha1"},
        {"kind", "ImageBuild"},
        {"metadata", {{"resourceVersion", "9"}, {"annotations", {{"k8s.io/initial-events-end", "true"}}}}}};
    pieces.push_back({Line("BOOKMARK", end.dump())});
    return testing::Chunked(std::move(pieces), false);
  }
  // What was sent with this method, once there are so many, or those there are after five seconds.
  std::vector<Received> Sent(const std::string& method, std::size_t count) {
    std::vector<Received> sent;
    for (int i = 0; i < 500; ++i) {
      sent.clear();
      for (auto& request : server_.requests()) {
        if (request.method == method) sent.push_back(request);
      }
      if (sent.size() >= count) break;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return sent;
  }
  static kube::Json AnnotationsOf(const Received& patch) {
    return kube::Json::parse(patch.body).at("metadata").at("annotations");
  }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path, std::ios::binary) << text;
  }

  std::filesystem::path folder_;
  std::vector<kube::Json> objects_;
  std::atomic<int> failing_patches_ = 0;
  std::atomic<bool> failing_watches_ = false;
  ScriptedServer server_{[this](const Received& request) { return Answer(request); }};
  asio::io_context io_{1};
  std::unique_ptr<kube::Client> client_;
  SystemClock clock_;
  std::thread thread_;
};

}  // namespace slipway::trigger
