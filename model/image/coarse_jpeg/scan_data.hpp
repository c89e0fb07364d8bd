// A scan's entropy-coded data, made ready to be read from any bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace yolod::model::image::coarse {

struct ScanData {
  std::unique_ptr<std::uint8_t[]> bytes;  // without the zeros that follow each 0xFF; behind them, kSpareBytes of zeros
  std::vector<std::size_t> ends;          // of restart intervals, at least one

  [[nodiscard]] std::size_t size() const { return ends.back(); }
};

// Nothing unless it is of that many intervals, restarts come in their order, and the end of the image after the last.
[[nodiscard]] std::optional<ScanData> read_scan_data(std::span<const std::uint8_t> scan, std::size_t intervals);

}  // namespace yolod::model::image::coarse
