#include "model/image/coarse_jpeg/scan_data.hpp"

#include <cstring>

#include "model/image/coarse_jpeg/block.hpp"

namespace yolod::model::image::coarse {

std::optional<ScanData> read_scan_data(std::span<const std::uint8_t> scan, std::size_t intervals) {
  constexpr std::uint8_t kFirstRestart = 0xD0;
  constexpr std::uint8_t kEndOfImage = 0xD9;
  constexpr std::size_t kRestarts = 8;
  ScanData data{std::make_unique_for_overwrite<std::uint8_t[]>(scan.size() + kSpareBytes), {}};
  auto* out = data.bytes.get();
  for (;;) {
    const auto* const marker =
        scan.empty() ? nullptr : static_cast<const std::uint8_t*>(std::memchr(scan.data(), 0xFF, scan.size()));
    if (marker == nullptr) return std::nullopt;
    const auto before = static_cast<std::size_t>(marker - scan.data());
    if (before + 1 >= scan.size()) return std::nullopt;
    std::memcpy(out, scan.data(), before);
    out += before;
    scan = scan.subspan(before + 2);
    const auto kind = marker[1];
    if (kind == 0) {
      *out++ = 0xFF;
      continue;
    }
    const auto end = static_cast<std::size_t>(out - data.bytes.get());
    const bool is_last = kind == kEndOfImage;
    if (!is_last && kind != kFirstRestart + data.ends.size() % kRestarts) return std::nullopt;
    data.ends.push_back(end);
    if (is_last != (data.ends.size() == intervals)) return std::nullopt;
    if (is_last) break;
  }
  std::memset(out, 0, kSpareBytes);
  return data;
}

}  // namespace yolod::model::image::coarse
