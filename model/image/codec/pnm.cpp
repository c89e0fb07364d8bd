#include "model/image/codec/pnm.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <vector>

#include "model/image/codec/byte_reader.hpp"
#include "model/image/codec/errors.hpp"

namespace yolod::model::image::codec::pnm {
namespace {

using common::Outcome;

bool is_blank(std::uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(std::uint8_t c) { return c >= '0' && c <= '9'; }

// Reads text with numbers, blanks and comments.
class TextReader {
 public:
  TextReader(Bytes file, std::size_t at) : file_(file), at_(at) {}

  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ >= file_.size(); }

  // Returns nullopt if there is no number, or if the number needs more than 32 bits.
  std::optional<std::uint64_t> number() {
    skip_blanks();
    std::uint64_t value = 0;
    const auto start = at_;
    for (; !at_end() && is_digit(byte()); ++at_) {
      value = value * 10 + (byte() - '0');
      if (value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    }
    return at_ == start ? std::nullopt : std::optional(value);
  }

  // Reads one digit of a plain bitmap, whose digits need no blanks between them.
  std::optional<std::uint64_t> bit() {
    skip_blanks();
    if (at_end() || (byte() != '0' && byte() != '1')) return std::nullopt;
    return std::uint64_t{as_u8(file_)[at_++]} - '0';
  }

 private:
  [[nodiscard]] std::uint8_t byte() const { return as_u8(file_)[at_]; }

  void skip_blanks() {
    while (!at_end() && (is_blank(byte()) || byte() == '#')) {
      if (byte() == '#') {
        while (!at_end() && byte() != '\n' && byte() != '\r') ++at_;
      } else {
        ++at_;
      }
    }
  }

  Bytes file_;
  std::size_t at_;
};

struct Layout {
  std::uint64_t width{0};
  std::uint64_t height{0};
  bool is_plain{false};
  bool is_bitmap{false};
  unsigned samples{1};  // samples per pixel
  std::uint64_t max_value{1};
  std::size_t pixels_at{0};

  [[nodiscard]] std::uint64_t row_bytes() const {
    return is_bitmap ? (width + 7) / 8 : width * samples * (max_value > 255 ? 2 : 1);
  }
};

Outcome<Layout> read_layout(Bytes file, std::uint64_t max_pixels) {
  const int kind = std::to_integer<int>(file[1]) - '0';  // 1 to 3 are plain text, 4 to 6 raw: bitmap, grey, colour
  TextReader in(file, 2);
  Layout layout;
  layout.is_bitmap = kind == 1 || kind == 4;
  layout.is_plain = kind <= 3;
  layout.samples = kind == 3 || kind == 6 ? 3 : 1;
  std::array<std::uint64_t, 3> numbers{0, 0, 1};  // width, height, largest value
  for (std::size_t i = 0; i < (layout.is_bitmap ? 2 : numbers.size()); ++i) {
    const auto number = in.number();
    if (!number) return in.at_end() ? cut_short("PNM") : invalid("the PNM file's header cannot be read");
    numbers[i] = *number;
  }
  layout.width = numbers[0];
  layout.height = numbers[1];
  layout.max_value = numbers[2];
  if (layout.max_value == 0 || layout.max_value > 65'535) {
    return invalid("the PNM file's largest value is out of range");
  }
  if (in.at_end()) return cut_short("PNM");
  // Exactly one blank ends the header.
  if (!is_blank(as_u8(file)[in.position()])) return invalid("the PNM file's header cannot be read");
  layout.pixels_at = in.position() + 1;
  const std::uint64_t held = file.size() - layout.pixels_at;
  // Plain text has at least one digit for each sample.
  std::uint64_t needed = 0;
  const auto row = layout.is_plain ? layout.width * layout.samples : layout.row_bytes();
  if (__builtin_mul_overflow(row, layout.height, &needed) || needed > held) return cut_short("PNM");
  if (auto checked = check_size(layout.width, layout.height, max_pixels); !checked) return checked.error();
  return layout;
}

// Scales a sample to 8 bits.
class Scale {
 public:
  explicit Scale(std::uint64_t max_value) : cut_(max_value == 65'535) {
    if (cut_) return;
    for (std::uint64_t value = 0; value <= max_value; ++value) {
      values_.push_back(static_cast<std::uint8_t>((value * 255 + max_value / 2) / max_value));
    }
  }
  [[nodiscard]] std::uint8_t of(std::uint64_t value) const {
    if (cut_) return static_cast<std::uint8_t>(std::min<std::uint64_t>(value, 65'535) >> 8U);
    return values_[static_cast<std::size_t>(std::min<std::uint64_t>(value, values_.size() - 1))];
  }

 private:
  bool cut_;
  std::vector<std::uint8_t> values_;
};

// `sample(i)` returns the row's i-th sample as 8 bits.
template <typename Sample>
void put_row(const Layout& layout, Sample&& sample, std::uint8_t* bgr) {
  for (std::size_t x = 0; x < layout.width; ++x, bgr += 3) {
    if (layout.samples == 1) {
      bgr[0] = bgr[1] = bgr[2] = sample(x);
    } else {
      bgr[0] = sample(3 * x + 2);
      bgr[1] = sample(3 * x + 1);
      bgr[2] = sample(3 * x);
    }
  }
}

std::uint8_t shade_of_bit(unsigned bit) { return bit == 0 ? 255 : 0; }

void put_raw_row(const Layout& layout, const Scale& scale, const std::uint8_t* row, std::uint8_t* bgr) {
  if (layout.is_bitmap) {
    put_row(
        layout, [&](std::size_t i) { return shade_of_bit(row[i / 8] >> (7 - i % 8) & 1U); }, bgr);
  } else if (layout.max_value == 255) {
    put_row(
        layout, [&](std::size_t i) { return row[i]; }, bgr);
  } else if (layout.max_value < 255) {
    put_row(
        layout, [&](std::size_t i) { return scale.of(row[i]); }, bgr);
  } else {
    put_row(
        layout, [&](std::size_t i) { return scale.of(unsigned{row[2 * i]} << 8U | row[2 * i + 1]); }, bgr);
  }
}

// Returns false if the text ends or has another character.
bool read_plain_row(const Layout& layout, const Scale& scale, TextReader& text, std::vector<std::uint8_t>& row) {
  for (auto& sample : row) {
    const auto value = layout.is_bitmap ? text.bit() : text.number();
    if (!value) return false;
    // The file may be cut within its last number. If another digit would still be valid, the value is unknown.
    if (!layout.is_bitmap && text.at_end() && *value * 10 <= layout.max_value) return false;
    sample = layout.is_bitmap ? shade_of_bit(static_cast<unsigned>(*value)) : scale.of(*value);
  }
  return true;
}

}  // namespace

Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels) {
  const auto layout = read_layout(file, max_pixels);
  if (!layout) return layout.error();
  const unsigned depth = layout->is_bitmap ? 1 : layout->max_value > 255 ? 16 : 8;
  constexpr std::uint64_t kScale = 64U << 10U;
  return Probe{Format::kPnm, layout->width, layout->height, layout->samples, depth, 1, kScale + 3 * layout->width};
}

Outcome<void> decode(Bytes file, Canvas& into, Budget& budget) {
  const auto layout = read_layout(file, into.width() * into.height());
  if (!layout) return layout.error();
  if (layout->width != into.width() || layout->height != into.height()) return damaged("PNM");
  const Scale scale(layout->max_value);
  TextReader text(file, layout->pixels_at);
  std::vector<std::uint8_t> plain(layout->is_plain ? into.width() * layout->samples : 0);
  const auto* raw = as_u8(file) + layout->pixels_at;
  for (std::size_t y = 0; y < into.height(); ++y) {
    if (layout->is_plain) {
      if (!read_plain_row(*layout, scale, text, plain)) {
        return text.at_end() ? cut_short("PNM") : invalid("the PNM file has text that is not a number");
      }
      put_row(
          *layout, [&](std::size_t i) { return plain[i]; }, into.row(y));
    } else {
      put_raw_row(*layout, scale, raw, into.row(y));
      raw += layout->row_bytes();
    }
    into.wrote();
    if (budget.spent(into.row_bytes())) return out_of_time();
  }
  return into.full() ? Outcome<void>() : damaged("PNM");
}

}  // namespace yolod::model::image::codec::pnm
