// Prepares a scan's entropy-coded data, so that it can be read from any bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace yolod::model::image::coarse {

struct ScanData {
  std::unique_ptr<std::uint8_t[]> bytes;  // without the zero after each 0xFF; followed by kSpareBytes of zeros
  std::vector<std::size_t> ends;          // the ends of the restart intervals, at least one

  [[nodiscard]] std::size_t size() const { return ends.back(); }
};

// Returns nullopt unless the data has that many intervals, restarts in order, and the end of the image after the
// last.
[[nodiscard]] std::optional<ScanData> read_scan_data(std::span<const std::uint8_t> scan, std::size_t intervals);

}  // namespace yolod::model::image::coarse
