// `slipway-runner push`: an image from a tarball into its repository.
//
// crane reckons the tarball's digest as a push would, before anything is sent; every tag is held against it;
// then the first tag is pushed, and the others are set on what is there. So no tag ever moves unless it may,
// and none names an image of which a part is missing.
//
// As flags: push --image --repository --tag… [--move-tags] [--insecure] [--credentials] [--ca] --report.
// Exit codes and failure reports: registry_failure.h; TagTaken when a tag names another digest.
#pragma once

#include <string>

#include "runner/registry_tags.h"

namespace slipway::runner {

struct PushOptions {
  std::string image;               // a tarball as `docker save` writes it
  TagPlace place;                  // its tags may hold {{timestamp}}
  std::string credentials_folder;  // holds config.json; empty: none
  std::string ca_file;
  std::string report_path = "/dev/termination-log";
  std::string facts;  // clone's file, which has the commit's time; empty: none
};

// Reports {"image":"repo@sha256:…","tags":[…]}.
int RunPush(const PushOptions& options);

}  // namespace slipway::runner
