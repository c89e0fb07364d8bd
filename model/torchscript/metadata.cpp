#include "model/torchscript/metadata.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cstdint>
#include <utility>

#include "common/text.hpp"
#include "model/read_file.hpp"

namespace yolod::model::torchscript {
namespace {

namespace json = boost::json;
using common::Outcome;

constexpr std::size_t kMaxNames = 1U << 20U;
constexpr std::uint64_t kMaxSide = 8192;

std::string_view text_of(const json::string& value) { return {value.data(), value.size()}; }

std::optional<std::uint32_t> side_of(const json::value& value) {
  json::error_code failure;
  const auto number = value.to_number<std::uint64_t>(failure);
  if (failure || number == 0 || number > kMaxSide) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

// [h, w], the last two of [n, c, h, w], or one number for both.
std::optional<common::InputSize> size_of(const json::value& value) {
  if (const auto side = side_of(value)) return common::InputSize{*side, *side};
  const auto* sides = value.if_array();
  if (sides == nullptr || sides->size() < 2) return std::nullopt;
  const auto height = side_of((*sides)[sides->size() - 2]);
  const auto width = side_of(sides->back());
  if (!height || !width) return std::nullopt;
  return common::InputSize{*height, *width};
}

// A list, or an object with the class for key. Nothing unless all classes from 0 on are named.
std::vector<std::string> names_of(const json::value& value) {
  std::vector<std::string> names;
  if (const auto* list = value.if_array()) {
    for (const auto& name : *list) {
      if (!name.is_string()) return {};
      names.emplace_back(text_of(name.get_string()));
    }
    return names;
  }
  const auto* object = value.if_object();
  if (object == nullptr || object->size() > kMaxNames) return {};
  std::vector<bool> named(object->size());
  names.resize(object->size());
  for (const auto& [key, name] : *object) {
    std::size_t index = 0;
    const auto [end, failure] = std::from_chars(key.data(), key.data() + key.size(), index);
    const bool is_class = failure == std::errc{} && end == key.data() + key.size() && index < names.size();
    if (!is_class || named[index] || !name.is_string()) return {};
    named[index] = true;
    names[index] = text_of(name.get_string());
  }
  return names;
}

std::optional<common::Task> task_of(std::string_view name) {
  if (name == "detect") return common::Task::kDetect;
  if (name == "classify") return common::Task::kClassify;
  if (name == "image") return common::Task::kImage;
  if (name == "tensor") return common::Task::kTensor;
  return std::nullopt;
}

}  // namespace

Outcome<Metadata> parse_metadata(std::string_view text) {
  Metadata metadata;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return metadata;
  json::error_code failure;
  const auto value = json::parse({text.data(), text.size()}, failure);
  const auto* object = failure ? nullptr : value.if_object();
  if (object == nullptr) return bad_model(std::string(kMetadataFile) + " in it is no JSON object");
  if (const auto* task = object->if_contains("task"); task != nullptr && task->is_string()) {
    metadata.task = task_of(text_of(task->get_string()));
    if (!metadata.task) {
      return bad_model("it was exported for task " + common::printable(text_of(task->get_string()), 40) +
                       ", which is not served");
    }
  }
  for (const auto* key : {"imgsz", "shape"}) {
    const auto* size = object->if_contains(key);
    if (size != nullptr && !metadata.input_size) metadata.input_size = size_of(*size);
  }
  if (const auto* names = object->if_contains("names")) metadata.names = names_of(*names);
  if (const auto* flag = object->if_contains("end2end"); flag != nullptr && flag->is_bool()) {
    metadata.end_to_end = flag->get_bool();
  }
  return metadata;
}

}  // namespace yolod::model::torchscript
