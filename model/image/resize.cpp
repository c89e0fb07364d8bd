#include "model/image/resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

namespace yolod::model::image {
namespace {

constexpr std::size_t kChannels = 3;

// The source of an output position: source[index] and source[next]; `fraction` is the weight of the second.
struct Tap {
  std::size_t index;
  std::size_t next;
  float fraction;
};

// The range of the `count` output positions that lies in the input; it starts at `first`.
struct Visible {
  int first;
  int count;
};

Visible visible(int offset, int side, int input_side) {
  const int first = std::max(0, -offset);
  return {first, std::max(0, std::min(side, input_side - offset) - first)};
}

Tap tap_at(double position, std::size_t last) {
  const double inside = std::clamp(position, 0.0, static_cast<double>(last));
  const auto index = static_cast<std::size_t>(inside);
  return {index, std::min(index + 1, last), static_cast<float>(inside - static_cast<double>(index))};
}

// Uses Darknet's arithmetic, in float. The last output position reads the last source position exactly.
Tap corner_aligned_tap(int position, int source, int output) {
  const auto last = static_cast<std::size_t>(source - 1);
  if (position == output - 1) return {last, last, 0};
  const float scale = static_cast<float>(source - 1) / static_cast<float>(output - 1);
  const float at = static_cast<float>(position) * scale;
  const auto index = std::min(static_cast<std::size_t>(at), last);
  return {index, std::min(index + 1, last), at - static_cast<float>(index)};
}

std::vector<Tap> taps(int source, int output, Visible seen, Sampling sampling) {
  std::vector<Tap> result;
  result.reserve(static_cast<std::size_t>(seen.count));
  for (int i = seen.first; i < seen.first + seen.count; ++i) {
    result.push_back(sampling == Sampling::kCornersAligned
                         ? corner_aligned_tap(i, source, output)
                         : tap_at((i + 0.5) * source / output - 0.5, static_cast<std::size_t>(source - 1)));
  }
  return result;
}

// Converts a byte of the picture into a value of the network's input.
struct Channels {
  explicit Channels(const Normalization& normalization) {
    for (std::size_t c = 0; c < kChannels; ++c) {
      source[c] = normalization.swap_to_rgb ? kChannels - 1 - c : c;
      factor[c] = normalization.scale / normalization.std[c];
      offset[c] = -normalization.mean[c] / normalization.std[c];
    }
  }
  std::array<std::size_t, kChannels> source{};
  std::array<float, kChannels> factor{};
  std::array<float, kChannels> offset{};
};

// Four values at once: GCC and Clang support these vectors for every processor.
using Four = float __attribute__((vector_size(16)));

Four four_of(const std::uint8_t* bytes) {
  using Lanes8 = std::uint8_t __attribute__((vector_size(16)));
  using Lanes16 = std::uint16_t __attribute__((vector_size(16)));
  using Lanes32 = std::int32_t __attribute__((vector_size(16)));
  std::int32_t four = 0;
  std::memcpy(&four, bytes, sizeof four);
  // Widens the bytes with zeros in two steps, each of which is a single instruction.
  const auto wide = __builtin_shufflevector(reinterpret_cast<Lanes8>(Lanes32{four, 0, 0, 0}), Lanes8{}, 0, 16, 1, 17, 2,
                                            18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const auto wider = __builtin_shufflevector(reinterpret_cast<Lanes16>(wide), Lanes16{}, 0, 8, 1, 9, 2, 10, 3, 11);
  return __builtin_convertvector(reinterpret_cast<Lanes32>(wider), Four);
}

// Interpolates between two rows.
void blend_rows(const float* above, const float* below, float fraction, std::size_t count, float* out) {
  constexpr std::size_t kStep = 4;
  std::size_t i = 0;
  for (; i + kStep <= count; i += kStep) {
    Four upper;
    Four lower;
    std::memcpy(&upper, above + i, sizeof upper);
    std::memcpy(&lower, below + i, sizeof lower);
    upper += fraction * (lower - upper);
    std::memcpy(out + i, &upper, sizeof upper);
  }
  for (; i < count; ++i) out[i] = above[i] + fraction * (below[i] - above[i]);
}

// Resizes and normalises one source row: interleaved, in the network's channel order.
class RowResizer {
 public:
  // run() may write one value behind a row's last value.
  static constexpr std::size_t kSpare = 1;

  RowResizer(const PixelView& picture, std::vector<Tap> across, const Normalization& normalization)
      : picture_(picture), taps_(std::move(across)), channels_(normalization), reversed_(channels_.source[0] != 0) {
    const auto last = static_cast<std::size_t>(picture.width - 1);
    while (first_inner_ < taps_.size() && reversed_ && taps_[first_inner_].index == 0) ++first_inner_;
    end_inner_ = taps_.size();
    while (end_inner_ > first_inner_ && !reversed_ && taps_[end_inner_ - 1].next == last) --end_inner_;
  }

  void run(std::size_t row, float* out) const {
    const auto* source = picture_.bgr + row * picture_.stride_bytes;
    run_each(source, 0, first_inner_, out);
    reversed_ ? run_inner<true>(source, out) : run_inner<false>(source, out);
    run_each(source, end_inner_, taps_.size(), out);
  }

 private:
  void run_each(const std::uint8_t* source, std::size_t first, std::size_t end, float* out) const {
    const auto [r, g, b] = channels_.source;
    const auto& factor = channels_.factor;
    const auto& offset = channels_.offset;
    out += kChannels * first;
    for (std::size_t i = first; i < end; ++i) {
      const Tap& tap = taps_[i];
      const auto* left = source + kChannels * tap.index;
      const auto* right = source + kChannels * tap.next;
      out[0] = blend(left[r], right[r], tap.fraction) * factor[0] + offset[0];
      out[1] = blend(left[g], right[g], tap.fraction) * factor[1] + offset[1];
      out[2] = blend(left[b], right[b], tap.fraction) * factor[2] + offset[2];
      out += kChannels;
    }
  }

  // Computes the same values in the same order of operations, one pixel at a time. If the channels are reversed, it
  // also loads the byte before the pixel, otherwise the byte behind it, so that the unused lane is the last.
  template <bool kReversed>
  void run_inner(const std::uint8_t* source, float* out) const {
    const Four factor{channels_.factor[0], channels_.factor[1], channels_.factor[2], 0};
    const Four offset{channels_.offset[0], channels_.offset[1], channels_.offset[2], 0};
    if (kReversed) --source;
    for (std::size_t i = first_inner_; i < end_inner_; ++i) {
      const Tap& tap = taps_[i];
      const Four left = four_of(source + kChannels * tap.index);
      const Four right = four_of(source + kChannels * tap.next);
      Four blended = left + tap.fraction * (right - left);
      if (kReversed) blended = __builtin_shufflevector(blended, blended, 3, 2, 1, 0);
      blended = blended * factor + offset;
      std::memcpy(out + kChannels * i, &blended, sizeof blended);
    }
  }

  static float blend(std::uint8_t left, std::uint8_t right, float fraction) {
    return static_cast<float>(left) + fraction * static_cast<float>(right - left);
  }

  const PixelView& picture_;
  std::vector<Tap> taps_;
  Channels channels_;
  bool reversed_;
  // The first of the taps whose row has that additional byte.
  std::size_t first_inner_{0};
  std::size_t end_inner_{0};
};

void fill_grey(Size input_size, const Placement& placement, const Normalization& normalization,
               std::span<float> input) {
  if (placement.width >= input_size.width && placement.height >= input_size.height) return;
  std::array<float, kChannels> grey{};
  for (std::size_t c = 0; c < kChannels; ++c) {
    grey[c] = (normalization.grey * 255.0F * normalization.scale - normalization.mean[c]) / normalization.std[c];
  }
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = grey[i % kChannels];
}

// Uses two taps per position. If the picture shrinks, it skips the pixels between them.
void resize_bilinear(const PixelView& picture, const std::vector<Tap>& across_taps, const std::vector<Tap>& down,
                     const Normalization& normalization, float* out, std::size_t out_stride) {
  const auto row_length = kChannels * across_taps.size();
  const RowResizer across(picture, across_taps, normalization);
  // An output row needs only two source rows, and later output rows never need earlier source rows.
  constexpr auto kNone = static_cast<std::size_t>(-1);
  const std::vector<float> empty(row_length + RowResizer::kSpare);
  std::array<std::vector<float>, 2> rows{empty, empty};
  std::array<std::size_t, 2> held{kNone, kNone};
  const auto resized_row = [&](std::size_t row) -> const float* {
    const auto slot = row % 2;
    if (held[slot] != row) {
      across.run(row, rows[slot].data());
      held[slot] = row;
    }
    return rows[slot].data();
  };

  for (const auto& tap : down) {
    const float* above = resized_row(tap.index);
    if (tap.fraction == 0 || tap.next == tap.index) {
      std::copy_n(above, row_length, out);
    } else {
      blend_rows(above, resized_row(tap.next), tap.fraction, row_length, out);
    }
    out += out_stride;
  }
}

// The weights of an output position: weights[i] belongs to source position first + i. The weights add up to 1.
struct Window {
  std::size_t first;
  std::vector<float> weights;
};

std::vector<Window> windows(int source, int output, Visible seen) {
  const double scale = static_cast<double>(source) / output;
  const double reach = std::max(1.0, scale);
  std::vector<Window> result(static_cast<std::size_t>(seen.count));
  for (int i = 0; i < seen.count; ++i) {
    const double center = (seen.first + i + 0.5) * scale;
    const int first = std::clamp(static_cast<int>(center - reach + 0.5), 0, source - 1);
    const int end = std::clamp(static_cast<int>(center + reach + 0.5), first + 1, source);
    auto& window = result[static_cast<std::size_t>(i)];
    window.first = static_cast<std::size_t>(first);
    double sum = 0;
    std::vector<double> weights;
    for (int s = first; s < end; ++s) {
      weights.push_back(std::max(0.0, 1 - std::abs((s + 0.5 - center) / reach)));
      sum += weights.back();
    }
    if (sum <= 0) weights.assign(1, sum = 1);
    for (const double weight : weights) window.weights.push_back(static_cast<float>(weight / sum));
  }
  return result;
}

void average_row(const PixelView& picture, std::size_t row, const std::vector<Window>& across, const Channels& channels,
                 float* out) {
  const auto* source = picture.bgr + row * picture.stride_bytes;
  for (const auto& window : across) {
    std::array<float, kChannels> sum{};
    const auto* pixel = source + kChannels * window.first;
    for (const float weight : window.weights) {
      for (std::size_t c = 0; c < kChannels; ++c) sum[c] += weight * static_cast<float>(pixel[c]);
      pixel += kChannels;
    }
    for (std::size_t c = 0; c < kChannels; ++c) {
      *out++ = sum[channels.source[c]] * channels.factor[c] + channels.offset[c];
    }
  }
}

// Averages each source row across once, and adds the result to every output row that uses it.
void resize_averaged(const PixelView& picture, const std::vector<Window>& across, const std::vector<Window>& down,
                     const Normalization& normalization, float* out, std::size_t out_stride) {
  const Channels channels(normalization);
  const auto row_length = kChannels * across.size();
  for (std::size_t i = 0; i < down.size(); ++i) std::fill_n(out + i * out_stride, row_length, 0.0F);
  std::vector<float> row(row_length);
  std::size_t oldest = 0;  // the first output row that is not complete
  for (std::size_t s = down.empty() ? 0 : down.front().first; oldest < down.size(); ++s) {
    average_row(picture, s, across, channels, row.data());
    for (std::size_t i = oldest; i < down.size() && down[i].first <= s; ++i) {
      const auto& window = down[i];
      if (s - window.first >= window.weights.size()) continue;
      const float weight = window.weights[s - window.first];
      float* target = out + i * out_stride;
      for (std::size_t k = 0; k < row_length; ++k) target[k] += weight * row[k];
    }
    while (oldest < down.size() && down[oldest].first + down[oldest].weights.size() <= s + 1) ++oldest;
  }
}

}  // namespace

void resize_into(const PixelView& picture, const Placement& placement, Size input_size,
                 const Normalization& normalization, Sampling sampling, std::span<float> input) {
  fill_grey(input_size, placement, normalization, input);
  const Visible columns = visible(placement.x, placement.width, input_size.width);
  const Visible rows = visible(placement.y, placement.height, input_size.height);
  const auto out_stride = kChannels * static_cast<std::size_t>(input_size.width);
  float* out = input.data() + static_cast<std::size_t>(std::max(0, placement.y)) * out_stride +
               kChannels * static_cast<std::size_t>(std::max(0, placement.x));
  if (sampling == Sampling::kAveraged) {
    resize_averaged(picture, windows(picture.width, placement.width, columns),
                    windows(picture.height, placement.height, rows), normalization, out, out_stride);
  } else {
    resize_bilinear(picture, taps(picture.width, placement.width, columns, sampling),
                    taps(picture.height, placement.height, rows, sampling), normalization, out, out_stride);
  }
}

}  // namespace yolod::model::image
