// The stage `attest`: what is said of a run's image, and by whom. Its Job is in the supply chain's namespace
// (supply/attest_job.h). Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "image_build/manifests.h"
#include "supply/names.h"

namespace slipway::image_build {

supply::Owner OwnerOf(const resources::ImageBuild& build);

// nullopt: the spec asks for none, or the policy has no such signer. Of a run whose image is pushed.
std::optional<kube::Json> RenderAttestJob(const resources::ImageBuild& build, const resources::BuildRun& run,
                                          const std::string& name, const Setting& setting);

// Why the Job could not be made for its inputs' size, which the spec makes: known before anything is built.
// Pure.
std::optional<std::string> TooLargeToAttest(const resources::ImageBuild& build,
                                            const resources::BuildRun& run);

// ---- a Job whose work another one undid ----

// So many Jobs of a run, in all.
inline constexpr int kMostAttestJobs = 3;
// The leg of the Job that is due: that of the first is empty, then come "2" and "3".
std::string AttestLeg(const resources::BuildRun& run);
// Whether another Job is to attest anew: what this one attested is not there any more.
bool AttestsAgain(const resources::BuildRun& run, const resources::RunJob& job,
                  const resources::Failure& failure);

// Whether the Job that has the name is one of ours that was asked for the same, whatever else of the policy
// changed since: the answer to its creation was lost.
bool AskedForTheSame(const kube::Json& rendered, const kube::Json& live);

}  // namespace slipway::image_build
