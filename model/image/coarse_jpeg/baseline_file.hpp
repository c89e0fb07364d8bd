// Parses the kind of JPEG that cameras make: baseline, Huffman-coded, three colours in one scan (ITU-T T.81).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "model/image/coarse_jpeg/huffman_code.hpp"

namespace yolod::model::image::coarse {

inline constexpr std::size_t kColours = 3;  // Y, Cb, Cr

struct BaselineFile {
  struct Colour {
    unsigned quantization{1};  // the step of DC
    unsigned quantization_across{1};
    unsigned quantization_down{1};  // the step of the first vertical coefficient
    std::size_t dc_code{0};
    std::size_t ac_code{0};
  };

  int width{0};
  int height{0};
  int luma_across{1};  // blocks of Y in an MCU, 1 or 2 in each direction; Cb and Cr have one
  int luma_down{1};
  std::size_t restart_interval{0};  // MCUs; 0: none
  std::array<Colour, kColours> colours{};
  std::array<HuffmanCode, 4> dc_codes{};
  std::array<HuffmanCode, 4> ac_codes{};
  int orientation{1};                  // see exif_orientation()
  std::span<const std::uint8_t> scan;  // from the first byte of the entropy-coded data to the end of the file

  [[nodiscard]] std::size_t blocks_of_mcu() const { return static_cast<std::size_t>(luma_across * luma_down) + 2; }
  [[nodiscard]] std::size_t mcus_across() const { return mcus(width, luma_across); }
  [[nodiscard]] std::size_t mcus_down() const { return mcus(height, luma_down); }

 private:
  static std::size_t mcus(int side, int blocks) {
    const auto pixels = static_cast<std::size_t>(8 * blocks);
    return (static_cast<std::size_t>(side) + pixels - 1) / pixels;
  }
};

// Returns how many low bits a coefficient with that quantization step loses in a Block, which has ten bits for it.
// With a step of 1 the coefficient may need eleven bits.
constexpr unsigned lost_bits(unsigned step) { return step == 1 ? 1 : 0; }

// Returns nullopt for every other kind of JPEG and for other files. Any bytes are safe to pass. `file` must outlive
// the result.
[[nodiscard]] std::optional<BaselineFile> read_baseline_file(std::span<const std::uint8_t> file);

}  // namespace yolod::model::image::coarse
