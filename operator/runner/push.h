// `slipway-runner push`: an image from a tarball into its repository.
//
// The tar is judged first (image_tar.h, then `crane validate`): it has to be the one image that was scanned.
// crane reckons its digest as a push would, before anything is sent; every tag is held against it. It is
// pushed by digest, what is said of it is attached, and only then are the tags set. So no tag ever moves
// unless it may, none names an image of which a part or a word is missing, and a step that broke off may be
// done again.
//
// As flags: push --image --repository --tag… [--move-tags] [--attach=TYPE=FILE…] [--insecure]
//           [--credentials] [--ca] --report.
// Exit codes and failure reports: registry_failure.h; TagTaken when a tag names another digest; the reasons
// of image_tar.h when it is refused.
#pragma once

#include <string>
#include <vector>

#include "runner/referrer.h"
#include "runner/registry_tags.h"

namespace slipway::runner {

struct PushOptions {
  std::string image;               // a tarball as `docker save` writes it
  TagPlace place;                  // its tags may hold {{timestamp}}
  std::string credentials_folder;  // holds config.json; empty: none
  std::string ca_file;
  std::string report_path = "/dev/termination-log";
  std::vector<Attachment> attachments;  // of the image, before a tag names it
  std::string facts;                    // clone's file, which has the commit's time; empty: none
};

// Reports {"image":"repo@sha256:…","tags":[…]}.
int RunPush(const PushOptions& options);

}  // namespace slipway::runner
