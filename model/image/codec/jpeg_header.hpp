// Parses a JPEG's segments up to its first scan, for the probe and for the strips of a TIFF.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/outcome.hpp"
#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec::jpeg {

struct Header {
  struct Component {
    unsigned across{1};  // sampling factors
    unsigned down{1};
  };
  static constexpr std::size_t kMostComponents = 4;

  std::uint64_t width{0};
  std::uint64_t height{0};
  bool progressive{false};
  std::array<Component, kMostComponents> components{};
  std::size_t component_count{0};
  std::size_t first_scan_components{0};
  int orientation{1};

  // If true, libjpeg holds the coefficients of the whole picture.
  [[nodiscard]] bool has_several_scans() const { return progressive || first_scan_components < component_count; }
};

// Returns kInvalidImage for a file that is cut before its first scan, that has no frame header or two of them, or
// that is a kind of JPEG that is not served (jpeg.hpp).
[[nodiscard]] common::Outcome<Header> read_header(Bytes file);

}  // namespace yolod::model::image::codec::jpeg
