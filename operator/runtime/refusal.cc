#include "runtime/refusal.h"

namespace slipway::runtime {

bool PassesByItself(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kConflict:
    case ErrorKind::kGone:
    case ErrorKind::kThrottled:
    case ErrorKind::kUnauthorized:
    case ErrorKind::kCancelled:
      return true;
    default:
      return false;
  }
}

std::string ReasonOf(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kForbidden:
      return "Forbidden";
    case ErrorKind::kAlreadyExists:
      return "NameTaken";
    case ErrorKind::kInvalid:
      return "Refused";
    default:
      return "ApiError";
  }
}

}  // namespace slipway::runtime
