#include "base/result.h"

namespace slipway {

std::string_view ToString(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return "NotFound";
    case ErrorKind::kAlreadyExists:
      return "AlreadyExists";
    case ErrorKind::kConflict:
      return "Conflict";
    case ErrorKind::kGone:
      return "Gone";
    case ErrorKind::kThrottled:
      return "Throttled";
    case ErrorKind::kTransient:
      return "Transient";
    case ErrorKind::kInvalid:
      return "Invalid";
    case ErrorKind::kForbidden:
      return "Forbidden";
    case ErrorKind::kUnauthorized:
      return "Unauthorized";
    case ErrorKind::kCancelled:
      return "Cancelled";
  }
  return "Unknown";
}

}  // namespace slipway
