// The error codes of the whole project. An error that starts in a worker keeps its code across shared memory, and
// app/api/native_error.cpp maps the code to an HTTP status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace yolod::common {

// The values cross shared memory between the front-end and the workers (ipc/layout.hpp). Only append new ones.
enum class ErrorCode : std::uint32_t {
  // The client caused these errors. docs/api.md explains each of them.
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
  kImageTooComplex = 25,  // a limit of decoding: limits.max_decode_time, limits.max_decode_memory
  kTooManyRequests = 26,
  kConflict = 27,  // the request does not fit the state of the server, such as a name that is taken
  // The server caused these errors.
  kWorkerCrashed = 15,
  kInternal = 16,
  kQueueFull = 17,
  kNotReady = 18,
  kShuttingDown = 19,
  kDeadlineExceeded = 20,
  // These codes never reach a client.
  kBadConfig = 21,   // an invalid system.yaml or command line
  kBadModel = 22,    // a cfg, weights, names or TorchScript file that cannot be served
  kSystem = 23,      // the operating system refused an operation
  kClientGone = 24,  // the client has disconnected, so nobody reads the answer
};

// Returns the `code` field of an HTTP error answer: "invalid_image" for kInvalidImage.
[[nodiscard]] std::string_view to_string(ErrorCode code);

// Returns the code with that value, or nullopt: a value from shared memory may not be a valid code.
[[nodiscard]] std::optional<ErrorCode> error_code_from(std::uint32_t value);

struct Error {
  ErrorCode code{ErrorCode::kInternal};
  // A line for the log. A client sees it only with the codes of errors that the client caused.
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

// Returns an Error with code kSystem and the text "what: strerror(error_number)". All texts with an errno come from
// here.
[[nodiscard]] Error system_error(std::string_view what, int error_number);

// Returns system_error() with the current errno.
[[nodiscard]] Error last_system_error(std::string_view what);

}  // namespace yolod::common
