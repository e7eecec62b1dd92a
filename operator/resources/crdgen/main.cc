// crdgen DIRECTORY: writes the CustomResourceDefinitions there, one file each.
#include <cstdio>
#include <fstream>
#include <string>

#include "resources/crd.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: crdgen DIRECTORY\n", stderr);
    return 2;
  }
  for (const auto& definition : slipway::resources::Definitions()) {
    const std::string path = std::string(argv[1]) + "/" + definition.name + ".yaml";
    std::ofstream file(path);
    file << "# Made by hack/crdgen from operator/resources: change it there.\n---\n"
         << slipway::resources::ToYaml(definition.crd);
    file.close();
    if (!file) {
      std::fprintf(stderr, "crdgen: %s can't be written\n", path.c_str());
      return 1;
    }
  }
  return 0;
}
