// A region of POSIX shared memory that a client on this machine has registered, and copies of its bytes. The server
// never maps a region: it copies bytes with pread and pwrite. So a client that shortens its object gets an error, and
// the server does not get a SIGBUS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::api::oip {

// Returns the text as errors name a region or a key: in quotes, and safe to print.
[[nodiscard]] std::string region_text(std::string_view text);
// A client's mistake, as an error with code kBadRequest.
[[nodiscard]] common::Error bad_region(std::string what);

// Plain value. The object stays open until the last reference is gone, even if the client unregisters the region.
struct SharedRegion {
  // Opens the object `key` below /dev/shm, which must be a tmpfs. Errors have code kBadRequest, with Triton's texts.
  // REQUIRES: `key` has no slash behind its first character, and no NUL.
  [[nodiscard]] static common::Outcome<std::shared_ptr<SharedRegion>> open(const std::string& name,
                                                                           const std::string& key, std::uint64_t offset,
                                                                           std::uint64_t bytes);
  SharedRegion() = default;
  SharedRegion(const SharedRegion&) = delete;
  SharedRegion& operator=(const SharedRegion&) = delete;
  ~SharedRegion();

  std::string key;  // the name of the object, as the client gave it
  std::uint64_t offset{0};
  std::uint64_t bytes{0};
  common::UniqueFd file;
  // Closes the file if it is set. To free the memory of a large object takes long.
  std::function<void(common::UniqueFd file)> close;
};

// A part of a region that lies within it.
struct SharedPart {
  std::shared_ptr<const SharedRegion> region;
  std::uint64_t offset{0};  // from the start of the region
  std::uint64_t bytes{0};
};

enum class CopyResult : std::uint8_t {
  kDone,
  kTooShort,  // the object has become shorter than the region
  kRefused,   // the object is sealed, or no memory is free
  kNoMemory,  // the object has holes, and `may_grow` is false
};

// Copy bytes from or to the part, from its byte `at` on. REQUIRES: they lie within the part. The functions make system
// calls only, without locks and memory of this process, so that the process may fork meanwhile. They may wait: for
// memory that was swapped out, or for a client that changes the size of the object.
[[nodiscard]] CopyResult copy_from(const SharedPart& part, std::uint64_t at, std::span<std::byte> to);
// The memory of a hole is charged to the control group of this process. Without `may_grow` a copy that has filled a
// hole is undone and returns kNoMemory. `grown_bytes` is how much memory the object has gained.
[[nodiscard]] CopyResult copy_to(const SharedPart& part, std::uint64_t at, std::span<const std::byte> from,
                                 bool may_grow, std::uint64_t& grown_bytes);

// Returns the error that the client receives. Its code is kBadRequest. REQUIRES: `result` is not kDone.
[[nodiscard]] common::Error explain(CopyResult result, const SharedRegion& region);

}  // namespace yolod::app::api::oip
