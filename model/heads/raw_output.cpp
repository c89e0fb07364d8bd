#include "model/heads/raw_output.hpp"

#include <cstring>
#include <vector>

namespace yolod::model::heads {
namespace {

constexpr std::size_t kBoxNumbers = 4;

}  // namespace

common::TensorArray raw_output(std::span<const float> head, const RawForm& form) {
  std::vector<float> values(head.begin(), head.end());
  common::TensorArray array;
  array.type = common::ElementType::kFloat32;
  const std::size_t rows = kBoxNumbers + form.classes;
  std::size_t count = values.size() / rows;
  if (form.layout == HeadLayout::kFinal) {
    count = values.size() / kFinalRow;
    for (std::size_t i = 0; i < count * kFinalRow; ++i) {
      if (i % kFinalRow < kBoxNumbers) values[i] *= i % 2 == 0 ? form.unit_x : form.unit_y;
    }
    array.shape = {static_cast<std::int64_t>(count), kFinalRow};
  } else {
    if (form.layout == HeadLayout::kByObjectness) {  // [candidates, 5 + classes]
      const std::size_t row_length = rows + 1;
      count = head.size() / row_length;
      values.resize(rows * count);
      for (std::size_t i = 0; i < count; ++i) {
        const auto row = head.subspan(i * row_length, row_length);
        for (std::size_t k = 0; k < kBoxNumbers; ++k) values[k * count + i] = row[k];
        for (std::size_t k = kBoxNumbers; k < rows; ++k) values[k * count + i] = row[kBoxNumbers] * row[k + 1];
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      values[i] *= form.unit_x;
      values[count + i] *= form.unit_y;
      values[2 * count + i] *= form.unit_x;
      values[3 * count + i] *= form.unit_y;
    }
    array.shape = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(count)};
  }
  array.bytes.resize(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

}  // namespace yolod::model::heads
