// Limits the cost of decoding a picture. Every decoder checks its Budget while it works, so that no file, whatever
// its size, occupies a worker for long.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace yolod::model::image::codec {

// Limits that the configuration cannot change.
inline constexpr std::uint64_t kMaxSide = 65'535;             // pixels
inline constexpr std::uint64_t kMaxDecodedBytesPerPixel = 8;  // four samples of 16 bits
inline constexpr int kMaxScans = 100;                         // of a JPEG; Skia and libtiff use the same limit
inline constexpr std::size_t kMaxChunks = 100'000;            // of a PNG or WebP file

// Counts the processor time of the thread that made the object. The decoding thread makes one for each picture and is
// its only user. Time in which the thread waits does not count.
class Budget {
 public:
  explicit Budget(std::chrono::nanoseconds max_time);

  // Returns true once the time is used up. A decoder calls it after each row or piece, with the size of the piece.
  // Because reading the clock is a system call, only every 16th call or every 256 KiB reads it.
  [[nodiscard]] bool spent(std::uint64_t bytes = 0) {
    bytes_ += bytes;
    return ++calls_ >= kCallsPerLook || bytes_ >= kBytesPerLook ? look() : spent_;
  }
  // As spent(), but reads the clock in each call.
  [[nodiscard]] bool look();

  [[nodiscard]] std::chrono::nanoseconds max_time() const { return max_time_; }

 private:
  static constexpr unsigned kCallsPerLook = 16;
  static constexpr std::uint64_t kBytesPerLook = 256U << 10U;

  std::chrono::nanoseconds max_time_;
  std::chrono::nanoseconds started_;
  unsigned calls_{0};
  std::uint64_t bytes_{0};
  bool spent_{false};
};

}  // namespace yolod::model::image::codec
