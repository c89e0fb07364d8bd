// What can go wrong, by name. One list for the whole project: an error that starts in a worker keeps its code
// across shared memory, and app/api/native_error.cpp turns it into an HTTP status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace yolod::common {

// The values cross shared memory between front-end and worker (ipc/layout.hpp), so they are only ever appended to.
enum class ErrorCode : std::uint32_t {
  // The client's doing. docs/api.md says what each means to a client.
  kBadRequest = 1,
  kInvalidParameter = 2,
  kInvalidImage = 3,
  kUnauthorized = 4,
  kForbidden = 5,
  kNotFound = 6,
  kUnknownModel = 7,
  kMethodNotAllowed = 8,
  kRequestTimeout = 9,
  kBodyTooLarge = 10,
  kImageTooLarge = 11,
  kUnsupportedMediaType = 12,
  kQuarantined = 13,
  kHeaderTooLarge = 14,
  kImageTooComplex = 25,  // it would cost more than limits.max_decode_time or limits.max_decode_memory
  // Ours.
  kWorkerCrashed = 15,
  kInternal = 16,
  kQueueFull = 17,
  kNotReady = 18,
  kShuttingDown = 19,
  kDeadlineExceeded = 20,
  // Never on the wire to a client.
  kBadConfig = 21,   // system.yaml or the command line
  kBadModel = 22,    // a cfg, weights, names or TorchScript file that cannot be served
  kSystem = 23,      // the operating system refused
  kClientGone = 24,  // nobody waits for the answer any more
};

// "invalid_image" for kInvalidImage: the `code` of an HTTP error answer.
[[nodiscard]] std::string_view to_string(ErrorCode code);

// The code with that value, or nothing: values that come out of shared memory are not trusted to be one of ours.
[[nodiscard]] std::optional<ErrorCode> error_code_from(std::uint32_t value);

struct Error {
  ErrorCode code{ErrorCode::kInternal};
  // One line, for the log. It reaches a client only for the codes that name the client's own doing.
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

// An Error of kSystem: "what: strerror(error_number)". The one place that words an errno.
[[nodiscard]] Error system_error(std::string_view what, int error_number);

// system_error() with the current errno.
[[nodiscard]] Error last_system_error(std::string_view what);

}  // namespace yolod::common
