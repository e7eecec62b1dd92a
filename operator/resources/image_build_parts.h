// The descriptions of what an ImageBuild is made from and tested by (image_build_parts.cc), for that of the
// whole spec. Private to this folder.
#pragma once

#include "resources/image_build_spec.h"
#include "resources/schema.h"

namespace slipway::resources {

void Describe(Visitor& v, GitSource& source);
void Describe(Visitor& v, TriggerSpec& trigger);
void Describe(Visitor& v, ResourceList& resources);
void Describe(Visitor& v, NameValue& variable);
void Describe(Visitor& v, TestSpec& test);

}  // namespace slipway::resources
