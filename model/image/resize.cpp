#include "model/image/resize.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace yolod::model::image {
namespace {

constexpr std::size_t kChannels = 3;

// Where an output position reads: source[index] and source[next], the second with weight `fraction`.
struct Tap {
  std::size_t index;
  std::size_t next;
  float fraction;
};

// The last output position reads the last source one exactly, as Darknet's does.
std::vector<Tap> taps(int source, int output) {
  std::vector<Tap> result(static_cast<std::size_t>(output));
  const float scale = output > 1 ? static_cast<float>(source - 1) / static_cast<float>(output - 1) : 0.0F;
  const auto last = static_cast<std::size_t>(source - 1);
  for (int i = 0; i < output; ++i) {
    const float position = static_cast<float>(i) * scale;
    auto& tap = result[static_cast<std::size_t>(i)];
    tap.index = std::min(static_cast<std::size_t>(position), last);
    tap.fraction = position - static_cast<float>(tap.index);
    if (i == output - 1) tap = {last, last, 0};
    tap.next = std::min(tap.index + 1, last);
  }
  return result;
}

// One source row, resized across and normalised: interleaved in the network's channel order.
class RowResizer {
 public:
  RowResizer(const PixelView& picture, int width, const Normalization& normalization)
      : picture_(picture), taps_(taps(picture.width, width)) {
    for (std::size_t c = 0; c < kChannels; ++c) {
      source_channel_[c] = normalization.swap_to_rgb ? kChannels - 1 - c : c;
      factor_[c] = normalization.scale / normalization.std[c];
      offset_[c] = -normalization.mean[c] / normalization.std[c];
    }
  }

  void run(std::size_t row, float* out) const {
    const auto* source = picture_.bgr + row * picture_.stride_bytes;
    const auto [r, g, b] = source_channel_;
    for (const auto& tap : taps_) {
      const auto* left = source + kChannels * tap.index;
      const auto* right = source + kChannels * tap.next;
      out[0] = blend(left[r], right[r], tap.fraction) * factor_[0] + offset_[0];
      out[1] = blend(left[g], right[g], tap.fraction) * factor_[1] + offset_[1];
      out[2] = blend(left[b], right[b], tap.fraction) * factor_[2] + offset_[2];
      out += kChannels;
    }
  }

 private:
  static float blend(std::uint8_t left, std::uint8_t right, float fraction) {
    return static_cast<float>(left) + fraction * static_cast<float>(right - left);
  }

  const PixelView& picture_;
  std::vector<Tap> taps_;
  std::array<std::size_t, kChannels> source_channel_{};
  std::array<float, kChannels> factor_{};
  std::array<float, kChannels> offset_{};
};

void fill_grey(Size input_size, const Placement& placement, const Normalization& normalization,
               std::span<float> input) {
  if (placement.width == input_size.width && placement.height == input_size.height) return;
  std::array<float, kChannels> grey{};
  for (std::size_t c = 0; c < kChannels; ++c) {
    grey[c] = (0.5F * 255.0F * normalization.scale - normalization.mean[c]) / normalization.std[c];
  }
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = grey[i % kChannels];
}

}  // namespace

void resize_into(const PixelView& picture, const Placement& placement, Size input_size,
                 const Normalization& normalization, std::span<float> input) {
  fill_grey(input_size, placement, normalization, input);
  const RowResizer across(picture, placement.width, normalization);
  const auto down = taps(picture.height, placement.height);
  const auto row_length = kChannels * static_cast<std::size_t>(placement.width);

  // Two source rows at a time are all that an output row needs; going down, they are never needed again.
  constexpr auto kNone = static_cast<std::size_t>(-1);
  std::array<std::vector<float>, 2> rows{std::vector<float>(row_length), std::vector<float>(row_length)};
  std::array<std::size_t, 2> held{kNone, kNone};
  const auto resized_row = [&](std::size_t row) -> const float* {
    const auto slot = row % 2;
    if (held[slot] != row) {
      across.run(row, rows[slot].data());
      held[slot] = row;
    }
    return rows[slot].data();
  };

  float* out =
      input.data() + kChannels * (static_cast<std::size_t>(placement.y) * static_cast<std::size_t>(input_size.width) +
                                  static_cast<std::size_t>(placement.x));
  const auto out_stride = kChannels * static_cast<std::size_t>(input_size.width);
  for (const auto& tap : down) {
    const float* above = resized_row(tap.index);
    if (tap.fraction == 0 || tap.next == tap.index) {
      std::copy_n(above, row_length, out);
    } else {
      const float* below = resized_row(tap.next);
      const float fraction = tap.fraction;
      for (std::size_t i = 0; i < row_length; ++i) out[i] = above[i] + fraction * (below[i] - above[i]);
    }
    out += out_stride;
  }
}

}  // namespace yolod::model::image
