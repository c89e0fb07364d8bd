#include "model/image/scale.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace yolod::model::image {
namespace {

constexpr std::size_t kDepth = 3;

// The two source positions of an output position; `fraction` is the weight of the second.
struct Blend {
  std::size_t index;
  std::size_t next;
  float fraction;
};

std::vector<Blend> blends(int source, int output, bool mirrored) {
  std::vector<Blend> result;
  const auto last = static_cast<std::size_t>(source - 1);
  const double step = static_cast<double>(source) / output;
  for (int i = 0; i < output; ++i) {
    const double position = std::clamp(step * (i + 0.5) - 0.5, 0.0, static_cast<double>(last));
    const auto index = static_cast<std::size_t>(position);
    const auto next = std::min(index + 1, last);
    const auto fraction = static_cast<float>(position - static_cast<double>(index));
    result.push_back(mirrored ? Blend{last - index, last - next, fraction} : Blend{index, next, fraction});
  }
  return result;
}

void pad(std::span<float> pixels, const std::array<float, 3>& padding) {
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = padding[i % kDepth];
}

}  // namespace

void scale_into(std::span<const float> input, Size input_size, const ScaledView& view, std::span<float> output) {
  const auto across = blends(input_size.width, view.scaled.width, view.mirrored);
  const auto down = blends(input_size.height, view.scaled.height, false);
  const auto source_row = kDepth * static_cast<std::size_t>(input_size.width);
  const auto output_row = kDepth * static_cast<std::size_t>(view.output.width);
  for (std::size_t y = 0; y < down.size(); ++y) {
    const float* above = input.data() + down[y].index * source_row;
    const float* below = input.data() + down[y].next * source_row;
    const float down_by = down[y].fraction;
    const auto row = output.subspan(y * output_row, output_row);
    float* out = row.data();
    for (const auto& at : across) {
      for (std::size_t c = 0; c < kDepth; ++c) {
        const auto left = kDepth * at.index + c;
        const auto right = kDepth * at.next + c;
        const float upper = above[left] + at.fraction * (above[right] - above[left]);
        const float lower = below[left] + at.fraction * (below[right] - below[left]);
        *out++ = upper + down_by * (lower - upper);
      }
    }
    pad(row.subspan(kDepth * across.size()), view.padding);
  }
  pad(output.subspan(down.size() * output_row), view.padding);
}

}  // namespace yolod::model::image
