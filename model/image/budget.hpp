// What the decoding of one picture may cost. Every decoder asks its Budget while it works, so that no file, whatever
// its size, holds a worker for long.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace yolod::model::image::codec {

// Limits that no configuration changes.
inline constexpr std::uint64_t kMaxSide = 65'535;             // pixels
inline constexpr std::uint64_t kMaxDecodedBytesPerPixel = 8;  // four samples of 16 bits
inline constexpr int kMaxScans = 100;                         // of a JPEG; Skia and libtiff stop there too
inline constexpr std::size_t kMaxChunks = 100'000;            // of a PNG or WebP file

// Counts the processor time of the thread that made it. The thread that decodes makes one for each picture and is the
// only one to use it. Waiting costs nothing.
class Budget {
 public:
  explicit Budget(std::chrono::nanoseconds max_time);

  // True once the time is over. A decoder calls it for each row or piece that is done, with the bytes of that piece:
  // the clock is a system call and is read every 16th time or every 256 KiB.
  [[nodiscard]] bool spent(std::uint64_t bytes = 0) {
    bytes_ += bytes;
    return ++calls_ >= kCallsPerLook || bytes_ >= kBytesPerLook ? look() : spent_;
  }
  // The same, and reads the clock each time.
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
