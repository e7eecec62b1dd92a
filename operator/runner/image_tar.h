// Whether a tar is one image and no other, whoever reads it: what the scan read is then what crane pushes.
//
// A step of a Dockerfile is root where the tar is written, so the tar is the tenant's word. It has to be as
// Kaniko writes it: plain files in a USTAR archive, each name once, and a manifest.json of one image that
// says nothing but where its parts are. What more the format allows lets two readers see two images, or lets
// the manifest name layers that are not in the tar (`LayerSources`). That each layer is what the image's
// config says is for `crane validate` to find out.
//
// A regular file is read, never a link or a folder (crane takes a folder for OCI's layout). Reads headers and
// manifest.json alone.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace slipway::runner {

// Why an image is not pushed. Permanent: the same build makes the same again.
struct TarFault {
  std::string reason;   // ImageTarInvalid, ImageTarHasLayerSources, ImageTarHasForeignLayers, …
  std::string message;  // with what to do
  bool operator==(const TarFault&) const = default;
};

// None: it is one image.
std::optional<TarFault> FaultOfTar(const std::string& path);

// Pure: of manifest.json, in a tar that has files of these names.
std::optional<TarFault> FaultOfTarManifest(std::string_view json, const std::set<std::string>& files);

// Pure: of an image's manifest, as a registry has it: each layer has to be in the registry itself.
std::optional<TarFault> ForeignLayers(std::string_view manifest);

// Pure: crane's word against the tar.
TarFault InconsistentTar(std::string_view said);

}  // namespace slipway::runner
