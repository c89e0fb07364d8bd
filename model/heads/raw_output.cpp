#include "model/heads/raw_output.hpp"

#include <algorithm>
#include <cstddef>

namespace yolod::model::heads {
namespace {

constexpr std::size_t kBoxNumbers = 4;
constexpr std::size_t kCandidatesAtOnce = 16;

}  // namespace

common::TensorArray raw_output(std::span<const float> head, const RawForm& form) {
  common::TensorArray array;
  array.type = common::ElementType::kFloat32;
  const std::size_t rows = kBoxNumbers + form.classes;
  const bool has_objectness = form.layout == HeadLayout::kByObjectness;  // [candidates, 5 + classes]
  const std::size_t row_length = form.layout == HeadLayout::kFinal ? kFinalRow : rows + (has_objectness ? 1 : 0);
  const std::size_t count = head.size() / row_length;
  const auto unit_of = [&form](std::size_t number) { return number % 2 == 0 ? form.unit_x : form.unit_y; };
  const std::size_t size = has_objectness ? rows * count : head.size();
  // The values are written to their place, because the output has megabytes.
  array.bytes.resize(size * sizeof(float));
  const std::span<float> values(reinterpret_cast<float*>(array.bytes.data()), size);
  if (has_objectness) {
    // A block of candidates is a cache line of each output row.
    for (std::size_t begin = 0; begin < count; begin += kCandidatesAtOnce) {
      const std::size_t end = std::min(begin + kCandidatesAtOnce, count);
      for (std::size_t k = 0; k < rows; ++k) {
        float* const to = values.data() + k * count;
        for (std::size_t i = begin; i < end; ++i) {
          const float* const row = head.data() + i * row_length;
          to[i] = k < kBoxNumbers ? row[k] * unit_of(k) : row[kBoxNumbers] * row[k + 1];
        }
      }
    }
  } else {
    std::copy(head.begin(), head.end(), values.begin());
  }
  if (form.layout == HeadLayout::kFinal) {
    for (std::size_t i = 0; i < count * kFinalRow; ++i) {
      if (i % kFinalRow < kBoxNumbers) values[i] *= unit_of(i % kFinalRow);
    }
    array.shape = {static_cast<std::int64_t>(count), kFinalRow};
    return array;
  }
  if (!has_objectness) {
    for (std::size_t i = 0; i < kBoxNumbers * count; ++i) values[i] *= unit_of(i / count);
  }
  array.shape = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(count)};
  return array;
}

}  // namespace yolod::model::heads
