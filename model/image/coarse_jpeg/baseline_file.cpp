#include "model/image/coarse_jpeg/baseline_file.hpp"

#include <algorithm>
#include <string_view>

#include "model/image/exif.hpp"

namespace yolod::model::image::coarse {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kBaselineFrame = 0xC0;
// identical to a baseline frame if it has eight bits and no additional codes
constexpr std::uint8_t kExtendedFrame = 0xC1;
constexpr std::uint8_t kHuffmanCodes = 0xC4;
constexpr std::uint8_t kStartOfImage = 0xD8;
constexpr std::uint8_t kStartOfScan = 0xDA;
constexpr std::uint8_t kQuantization = 0xDB;
constexpr std::uint8_t kRestartInterval = 0xDD;
constexpr std::uint8_t kFirstApplication = 0xE0;
constexpr std::uint8_t kExif = 0xE1;
constexpr std::uint8_t kAdobe = 0xEE;
constexpr std::uint8_t kLastApplication = 0xEF;
constexpr std::uint8_t kComment = 0xFE;

constexpr std::size_t kTables = 4;

unsigned two_bytes(Bytes bytes, std::size_t at) { return unsigned{bytes[at]} << 8U | bytes[at + 1]; }

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin());
}

class Reader {
 public:
  std::optional<BaselineFile> run(Bytes file) {
    if (file.size() < 2 || file[0] != 0xFF || file[1] != kStartOfImage) return std::nullopt;
    for (auto rest = file.subspan(2);;) {
      if (rest.size() < 4 || rest[0] != 0xFF) return std::nullopt;
      const auto marker = rest[1];
      const std::size_t length = two_bytes(rest, 2);
      if (length < 2 || rest.size() < 2 + length) return std::nullopt;
      const auto content = rest.subspan(4, length - 2);
      rest = rest.subspan(2 + length);
      if (marker == kStartOfScan) {
        if (!take_scan(content)) return std::nullopt;
        result_.scan = rest;
        return result_;
      }
      if (!take(marker, content)) return std::nullopt;
    }
  }

 private:
  bool take(std::uint8_t marker, Bytes content) {
    switch (marker) {
      case kBaselineFrame:
      case kExtendedFrame: return take_frame(content);
      case kHuffmanCodes: return take_codes(content);
      case kQuantization: return take_quantization(content);
      case kRestartInterval:
        if (content.size() != 2) return false;
        result_.restart_interval = two_bytes(content, 0);
        return true;
      case kExif:
        if (result_.orientation == 1) result_.orientation = exif_orientation(content);
        return true;
      case kAdobe: return take_adobe(content);
      case kComment: return true;
      default:
        if (marker == kFirstApplication) has_jfif_ = has_jfif_ || is_jfif(content);
        return marker >= kFirstApplication && marker <= kLastApplication;
    }
  }

  // libjpeg's rule: a shorter segment is not JFIF.
  static bool is_jfif(Bytes content) {
    constexpr std::size_t kBytes = 14;
    return content.size() >= kBytes && begins_with(content, std::string_view("JFIF\0", 5));
  }

  // The last byte of the segment gives the colour conversion: 1 is YCbCr.
  static bool take_adobe(Bytes content) {
    constexpr std::size_t kTransform = 11;
    return !begins_with(content, "Adobe") || (content.size() > kTransform && content[kTransform] == 1);
  }

  bool take_frame(Bytes content) {
    constexpr std::size_t kBytes = 6 + 3 * kColours;
    if (has_frame_ || content.size() != kBytes || content[0] != 8 || content[5] != kColours) return false;
    has_frame_ = true;
    result_.height = static_cast<int>(two_bytes(content, 1));
    result_.width = static_cast<int>(two_bytes(content, 3));
    for (std::size_t i = 0; i < kColours; ++i) {
      const auto colour = content.subspan(6 + 3 * i, 3);
      ids_[i] = colour[0];
      const int across = colour[1] >> 4U;
      const int down = colour[1] & 15U;
      if (i == 0) {
        result_.luma_across = across;
        result_.luma_down = down;
      } else if (across != 1 || down != 1) {
        return false;
      }
      if (colour[2] >= kTables) return false;
      tables_of_[i] = colour[2];
    }
    const auto one_or_two = [](int count) { return count == 1 || count == 2; };
    constexpr int kLongestSide = 65500;  // libjpeg's limit
    const auto is_side = [](int side) { return side > 0 && side <= kLongestSide; };
    return is_side(result_.width) && is_side(result_.height) && one_or_two(result_.luma_across) &&
           one_or_two(result_.luma_down);
  }

  bool take_codes(Bytes content) {
    while (!content.empty()) {
      constexpr std::size_t kLengths = 1 + HuffmanCode::kLongest;
      if (content.size() < kLengths) return false;
      const bool is_ac = content[0] >> 4U == 1;
      const std::size_t index = content[0] & 15U;
      if (content[0] >> 4U > 1 || index >= kTables) return false;
      HuffmanCode code;
      std::size_t total = 0;
      for (std::size_t length = 1; length <= HuffmanCode::kLongest; ++length) {
        code.counts[length] = content[length];
        total += content[length];
      }
      if (!code.is_sound() || content.size() < kLengths + total) return false;
      std::copy_n(content.begin() + kLengths, total, code.symbols.begin());
      if (is_ac ? !code.has_ac_symbols() : !code.has_dc_symbols()) return false;
      (is_ac ? result_.ac_codes : result_.dc_codes)[index] = code;
      content = content.subspan(kLengths + total);
    }
    return true;
  }

  bool take_quantization(Bytes content) {
    while (!content.empty()) {
      const std::size_t bytes_each = (content[0] >> 4U) + std::size_t{1};
      const std::size_t index = content[0] & 15U;
      const auto length = 1 + kCoefficients * bytes_each;
      if (bytes_each > 2 || index >= kTables || content.size() < length) return false;
      // In zigzag order the first coefficients are DC, the first horizontal and the first vertical coefficient.
      for (std::size_t i = 0; i < steps_[index].size(); ++i) {
        steps_[index][i] = bytes_each == 1 ? content[1 + i] : two_bytes(content, 1 + 2 * i);
        if (steps_[index][i] == 0) return false;
      }
      content = content.subspan(length);
    }
    return true;
  }

  bool take_scan(Bytes content) {
    constexpr std::size_t kBytes = 1 + 2 * kColours + 3;
    if (!has_frame_ || content.size() != kBytes || content[0] != kColours) return false;
    if (content[kBytes - 3] != 0 || content[kBytes - 2] != kCoefficients - 1 || content[kBytes - 1] != 0) return false;
    // Without a JFIF or Adobe segment, the component ids determine the colours.
    if (!has_jfif_ && ids_ != std::array<std::uint8_t, kColours>{1, 2, 3}) return false;
    for (std::size_t i = 0; i < kColours; ++i) {
      const auto id = content[1 + 2 * i];
      const auto codes = content[2 + 2 * i];
      auto& colour = result_.colours[i];
      colour.dc_code = codes >> 4U;
      colour.ac_code = codes & 15U;
      if (id != ids_[i] || colour.dc_code >= kTables || colour.ac_code >= kTables) return false;
      if (!result_.dc_codes[colour.dc_code].is_sound() || !result_.ac_codes[colour.ac_code].is_sound()) return false;
      const auto& steps = steps_[tables_of_[i]];
      if (steps[0] == 0) return false;
      colour.quantization = steps[0];
      colour.quantization_across = steps[1];
      colour.quantization_down = steps[2];
    }
    return true;
  }

  BaselineFile result_;
  bool has_frame_{false};
  bool has_jfif_{false};
  std::array<std::uint8_t, kColours> ids_{};
  std::array<std::size_t, kColours> tables_of_{};
  std::array<std::array<unsigned, 3>, kTables> steps_{};  // 0: not defined
};

}  // namespace

std::optional<BaselineFile> read_baseline_file(std::span<const std::uint8_t> file) { return Reader().run(file); }

}  // namespace yolod::model::image::coarse
