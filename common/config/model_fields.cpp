#include "common/config/model_fields.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "common/domain/tensor.hpp"
#include "common/oip/data_type.hpp"

namespace yolod::common {
namespace {

constexpr std::string_view kDeviceForms = "auto, cpu, cuda:N or a list of devices";

void read_devices(ConfigReader& reader, const YamlNode& node, std::vector<std::string>& devices) {
  constexpr std::size_t kMaxDevices = 256;
  if (node.kind != YamlNode::Kind::kSequence) {
    devices.clear();
    if (node.kind == YamlNode::Kind::kScalar && node.text == "auto") return;
    if (auto device = reader.value_of(node, kDeviceForms, parse_device)) devices.push_back(*std::move(device));
    return;
  }
  if (node.items.empty() || node.items.size() > kMaxDevices) {
    reader.problem(node.mark, "a list of " + std::to_string(node.items.size()) + ", 1 to " +
                                  std::to_string(kMaxDevices) + " devices are allowed");
    return;
  }
  devices.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&devices](ConfigReader& below, auto& item) {
      if (auto device = below.value_of(item, "cpu or cuda:N", parse_device)) devices.push_back(*std::move(device));
    });
  }
}

void read_preferred_sizes(ConfigReader& reader, const YamlNode& node, std::vector<std::uint32_t>& sizes) {
  if (node.kind != YamlNode::Kind::kSequence || node.items.size() > kMostInBatch) {
    reader.problem(node.mark, "not a list of sizes, [1, 4, 8] or [] are allowed");
    return;
  }
  sizes.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&sizes](ConfigReader& below, auto& item) {
      std::uint32_t size = 0;
      count_field("", size, 1, kMostInBatch).read(below, item);
      if (size == 0) return;  // the problem has been reported
      if (!sizes.empty() && size <= sizes.back()) below.problem(item.mark, "sizes must rise from one to the next");
      sizes.push_back(size);
    });
  }
}

constexpr std::uint32_t kSmallestInput = 8;
constexpr std::uint32_t kLargestInput = 8192;

// Returns one side of an input size, or 0 after it has reported a problem.
std::uint32_t read_side(ConfigReader& reader, const YamlNode& node) {
  std::uint32_t side = 0;
  count_field("", side, kSmallestInput, kLargestInput).read(reader, node);
  return side;
}

void read_input_size(ConfigReader& reader, const YamlNode& node, std::optional<InputSize>& size) {
  if (node.kind != YamlNode::Kind::kSequence) {
    const std::uint32_t side = read_side(reader, node);
    size = InputSize{side, side};
    return;
  }
  if (node.items.size() != 2) {
    reader.problem(node.mark,
                   "a list of " + std::to_string(node.items.size()) + ", one number or [height, width] is allowed");
    return;
  }
  InputSize read;
  reader.read_below("[0]", node.items[0],
                    [&](ConfigReader& below, auto& item) { read.height = read_side(below, item); });
  reader.read_below("[1]", node.items[1],
                    [&](ConfigReader& below, auto& item) { read.width = read_side(below, item); });
  size = read;
}

// The bounds are far beyond any normalisation in use. They keep every product finite in fp32.
constexpr double kLargestFactor = 1e6;

void read_scale(ConfigReader& reader, const YamlNode& node, double& scale) {
  const auto value = reader.value_of(node, "a number or a fraction such as 1/255", parse_fraction);
  if (!value.has_value()) return;
  if (*value <= 0 || *value > kLargestFactor) {
    reader.problem(node.mark, shown(node.text) + " is out of range, allowed: more than 0, at most 1000000");
  } else {
    scale = *value;
  }
}

void read_range(ConfigReader& reader, const YamlNode& node, std::array<double, 2>& range) {
  if (node.kind != YamlNode::Kind::kSequence || node.items.size() != range.size()) {
    reader.problem(node.mark, "not a list of two numbers, [black, white] is needed");
    return;
  }
  std::array<double, 2> read{0, 1};
  for (std::size_t i = 0; i < read.size(); ++i) {
    reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&](ConfigReader& below, auto& item) {
      real_field("", read[i], -kLargestFactor, kLargestFactor).read(below, item);
    });
  }
  if (read[0] == read[1]) {
    reader.problem(node.mark, "black and white are the same number, two different ones are needed");
    return;
  }
  range = read;
}

constexpr std::int64_t kLongestSide = 1LL << 40U;

void read_shape(ConfigReader& reader, const YamlNode& node, std::vector<std::int64_t>& shape) {
  if (node.kind != YamlNode::Kind::kSequence || node.items.size() > kMaxDimensions) {
    reader.problem(node.mark, "not a list of at most " + std::to_string(kMaxDimensions) + " whole numbers");
    return;
  }
  shape.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&shape](ConfigReader& below, auto& item) {
      std::uint64_t side = 0;
      if (item.kind == YamlNode::Kind::kScalar && item.text == "-1") {
        shape.push_back(-1);
        return;
      }
      count_field("", side, 0, kLongestSide).read(below, item);
      shape.push_back(static_cast<std::int64_t>(side));
    });
  }
}

Field position_field(std::optional<std::uint32_t>& position) {
  return Field{"position",
               [&position](ConfigReader& reader, const YamlNode& node) {
                 std::uint32_t place = 0;
                 count_field("", place, 0, kMaxTensors - 1).read(reader, node);
                 position = place;
               },
               [&position]() -> std::optional<YamlNode> {
                 if (!position) return std::nullopt;
                 return YamlNode::plain(std::to_string(*position));
               }}
      .allows("a whole number from 0 to " + std::to_string(kMaxTensors - 1));
}

Fields fields_of_tensor(TensorConfig& tensor) {
  Choices<oip::DataType> types;
  for (const std::string_view name : {"BOOL", "UINT8", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"}) {
    types.emplace_back(name, *oip::data_type_from(name));
  }
  Field name = string_field("name", tensor.name).means("The tensor has this name in requests and answers.");
  name.required = true;
  return {
      std::move(name),
      choice_field<oip::DataType>("type", tensor.type, types).means("The tensor's elements have this type."),
      Field{"shape", [&tensor](ConfigReader& reader, const YamlNode& node) { read_shape(reader, node, tensor.shape); },
            [&tensor]() -> std::optional<YamlNode> {
              YamlNode list = YamlNode::sequence();
              for (const auto side : tensor.shape) list.items.push_back(YamlNode::plain(std::to_string(side)));
              return list;
            },
            true}
          .allows("a list of at most 16 whole numbers; -1 is any length")
          .means("The tensor has this shape."),
      position_field(tensor.position)
          .means("The tensor has this place among those that forward() takes or returns, and the name may be any.")
          .absent("forward() itself gives the name")};
}

void read_tensors(ConfigReader& reader, const YamlNode& node, std::vector<TensorConfig>& tensors) {
  if (node.kind != YamlNode::Kind::kSequence || node.items.size() > kMaxTensors) {
    reader.problem(node.mark, "not a list of at most " + std::to_string(kMaxTensors) + " tensors (- name: ...)");
    return;
  }
  tensors.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    TensorConfig tensor;
    reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&](ConfigReader& below, auto& item) {
      below.read_map(item, fields_of_tensor(tensor));
      const YamlNode* const name = item.find("name");
      if (name == nullptr) return;  // the problem has been reported
      const bool taken = std::any_of(tensors.begin(), tensors.end(),
                                     [&tensor](const TensorConfig& other) { return other.name == tensor.name; });
      if (taken) below.problem(name->mark, shown(tensor.name) + " is another tensor's name");
      if (tensor.name.empty()) below.problem(name->mark, "the name is empty, a text is needed");
    });
    tensors.push_back(std::move(tensor));
  }
}

YamlNode numbers(std::span<const double> values) {
  YamlNode list = YamlNode::sequence();
  for (const double value : values) list.items.push_back(YamlNode::plain(format_real(value)));
  return list;
}

}  // namespace

bool is_model_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(kAllowed) == std::string_view::npos &&
         name.front() != '.' && name.front() != '-';
}

Field name_field(std::string& value) {
  return Field{"name",
               [&value](ConfigReader& reader, const YamlNode& node) {
                 auto text = reader.text_of(node, "a name");
                 if (!text.has_value()) return;
                 if (!is_model_name(*text)) {
                   reader.problem(node.mark,
                                  shown(*text) +
                                      " is no model name, allowed: 1 to 64 letters, digits, '-', '_' and '.', "
                                      "beginning with a letter, a digit or '_'");
                 }
                 value = *std::move(text);
               },
               [&value]() -> std::optional<YamlNode> { return YamlNode::string(value); }, true}
      .allows("1 to 64 letters, digits, -, _ and ., beginning with a letter, a digit or _");
}

Field device_field(std::vector<std::string>& devices) {
  return Field{"device",
               [&devices](ConfigReader& reader, const YamlNode& node) { read_devices(reader, node, devices); },
               [&devices]() -> std::optional<YamlNode> {
                 if (devices.empty()) return YamlNode::plain("auto");
                 YamlNode list = YamlNode::sequence();
                 for (const std::string& device : devices) list.items.push_back(YamlNode::string(device));
                 return list;
               }}
      .allows(std::string(kDeviceForms));
}

Field preferred_sizes_field(std::vector<std::uint32_t>& sizes) {
  return Field{"preferred_sizes",
               [&sizes](ConfigReader& reader, const YamlNode& node) { read_preferred_sizes(reader, node, sizes); },
               [&sizes]() -> std::optional<YamlNode> {
                 YamlNode list = YamlNode::sequence();
                 for (const auto size : sizes) list.items.push_back(YamlNode::plain(std::to_string(size)));
                 return list;
               }}
      .allows("a list of rising whole numbers from 1 to " + std::to_string(kMostInBatch));
}

Field scale_field(std::string_view name, double& value) {
  return Field{name, [&value](ConfigReader& reader, const YamlNode& node) { read_scale(reader, node, value); },
               [&value]() -> std::optional<YamlNode> { return YamlNode::plain(format_real(value)); }}
      .allows("a number or a fraction such as 1/255, more than 0, at most 1000000");
}

Field channels_field(std::string_view name, std::array<double, 3>& value, bool zero_allowed) {
  return Field{name,
               [&value, zero_allowed](ConfigReader& reader, const YamlNode& node) {
                 if (node.kind != YamlNode::Kind::kSequence || node.items.size() != value.size()) {
                   reader.problem(node.mark, "not a list of three numbers, one for each channel is needed");
                   return;
                 }
                 for (std::size_t i = 0; i < value.size(); ++i) {
                   reader.read_below('[' + std::to_string(i) + ']', node.items[i],
                                     [&](ConfigReader& below, auto& item) {
                                       double number = 1;
                                       real_field("", number, -kLargestFactor, kLargestFactor).read(below, item);
                                       if (number == 0 && !zero_allowed) {
                                         below.problem(item.mark, "0 is not allowed, pixels are divided by it");
                                       } else {
                                         value[i] = number;
                                       }
                                     });
                 }
               },
               [&value]() -> std::optional<YamlNode> { return numbers(value); }}
      .allows(zero_allowed ? "a list of three numbers" : "a list of three numbers other than 0");
}

Field range_field(std::string_view name, std::array<double, 2>& range) {
  return Field{name, [&range](ConfigReader& reader, const YamlNode& node) { read_range(reader, node, range); },
               [&range]() -> std::optional<YamlNode> { return numbers(range); }}
      .allows("a list of two different numbers, [black, white]");
}

Field tensors_field(std::string_view name, std::vector<TensorConfig>& tensors) {
  Field field{name, [&tensors](ConfigReader& reader, const YamlNode& node) { read_tensors(reader, node, tensors); },
              [&tensors]() -> std::optional<YamlNode> {
                YamlNode list = YamlNode::sequence();
                for (TensorConfig& tensor : tensors) list.items.push_back(write_map(fields_of_tensor(tensor)));
                return list;
              }};
  field.show_keys = [](const Field::Visitor& visit) {
    TensorConfig shown_tensor;
    visit(fields_of_tensor(shown_tensor));
  };
  field.is_list = true;
  return field;
}

Field pixels_field(std::string_view name, std::uint64_t& value) {
  constexpr std::uint64_t kMostPixels = 4'000'000'000;
  return Field{name,
               [&value](ConfigReader& reader, const YamlNode& node) {
                 const auto pixels = reader.value_of(node, "a number of pixels such as 100MP", parse_pixels);
                 if (!pixels.has_value()) return;
                 if (*pixels < 1 || *pixels > kMostPixels) {
                   reader.problem(node.mark, shown(node.text) + " is out of range, allowed: 1 to 4000MP");
                 } else {
                   value = *pixels;
                 }
               },
               [&value]() -> std::optional<YamlNode> { return YamlNode::plain(format_pixels(value)); }}
      .allows("1 to 4000MP");
}

Field workers_field(std::string_view name, std::uint32_t& workers) {
  return count_field(name, workers, 1, kMostWorkers);
}

Field input_size_field(std::string_view name, std::optional<InputSize>& size) {
  return Field{name, [&size](ConfigReader& reader, const YamlNode& node) { read_input_size(reader, node, size); },
               [&size]() -> std::optional<YamlNode> {
                 if (!size.has_value()) return std::nullopt;
                 YamlNode list = YamlNode::sequence();
                 list.items.push_back(YamlNode::plain(std::to_string(size->height)));
                 list.items.push_back(YamlNode::plain(std::to_string(size->width)));
                 return list;
               }}
      .allows("a whole number from 8 to 8192, or a list of two");
}

}  // namespace yolod::common
