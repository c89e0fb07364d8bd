// These functions make the keys of a model that take more than a number, a word or a path.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/fields.hpp"
#include "common/config/model_config.hpp"

namespace yolod::common {

// Returns whether a model may have this name. It appears in URLs, labels of metrics and keys of --set. So it has at
// most 64 letters, digits, '-', '_' and '.'.
[[nodiscard]] bool is_model_name(std::string_view name);
// `name` is required. URLs, labels of metrics and keys of --set contain it, so few characters are allowed.
[[nodiscard]] Field name_field(std::string& value);
// `device` takes one device, a list of devices, or auto, which gives the empty list.
[[nodiscard]] Field device_field(std::vector<std::string>& devices);
// The short form has the next two keys with other names.
[[nodiscard]] Field workers_field(std::string_view name, std::uint32_t& workers);
[[nodiscard]] Field input_size_field(std::string_view name, std::optional<InputSize>& size);
// `preferred_sizes` takes a list of rising numbers.
[[nodiscard]] Field preferred_sizes_field(std::vector<std::uint32_t>& sizes);
// The key takes a number or a fraction above 0.
[[nodiscard]] Field scale_field(std::string_view name, double& value);
// The key takes one number for each channel, in the network's order.
[[nodiscard]] Field channels_field(std::string_view name, std::array<double, 3>& value, bool zero_allowed);
// The key takes two different numbers, the network's values for black and for white.
[[nodiscard]] Field range_field(std::string_view name, std::array<double, 2>& range);
// The key takes a list of tensors, each a map of name, type and shape.
[[nodiscard]] Field tensors_field(std::string_view name, std::vector<TensorConfig>& tensors);
// The key takes a number of pixels such as 100MP.
[[nodiscard]] Field pixels_field(std::string_view name, std::uint64_t& value);

}  // namespace yolod::common
