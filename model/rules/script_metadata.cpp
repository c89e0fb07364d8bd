#include "model/rules/script_metadata.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/domain/task.hpp"
#include "common/text.hpp"
#include "model/bad_model.hpp"

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

// Reads [h, w], the last two numbers of [n, c, h, w], or one number for both sides.
std::optional<common::InputSize> size_of(const json::value& value) {
  if (const auto side = side_of(value)) return common::InputSize{*side, *side};
  const auto* sides = value.if_array();
  if (sides == nullptr || sides->size() < 2) return std::nullopt;
  const auto height = side_of((*sides)[sides->size() - 2]);
  const auto width = side_of(sides->back());
  if (!height || !width) return std::nullopt;
  return common::InputSize{*height, *width};
}

// Reads a list, or an object whose keys are the class ids. Returns an empty list unless all classes from 0 have a
// name.
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

// The words that are allowed as values of the keys under "yolod"; most are words of the config.
template <typename Value>
using Words = std::span<const std::pair<std::string_view, Value>>;

constexpr std::array<std::pair<std::string_view, heads::HeadLayout>, 3> kLayouts{
    {{"yolov5", heads::HeadLayout::kByObjectness},
     {"yolov8", heads::HeadLayout::kByScores},
     {"end_to_end", heads::HeadLayout::kFinal}}};
constexpr std::array<std::pair<std::string_view, bool>, 2> kCoordinates{{{"pixels", false}, {"fractions", true}}};
constexpr std::array<std::pair<std::string_view, image::Fit>, 3> kFits{
    {{"stretch", image::Fit::kStretch}, {"letterbox", image::Fit::kLetterbox}, {"crop", image::Fit::kCrop}}};
constexpr std::array<std::pair<std::string_view, image::Sampling>, 3> kSamplings{
    {{"corners", image::Sampling::kCornersAligned},
     {"centers", image::Sampling::kCentersAligned},
     {"averaged", image::Sampling::kAveraged}}};
constexpr std::array<std::pair<std::string_view, heads::Overlap>, 2> kNmsKinds{
    {{"iou", heads::Overlap::kIou}, {"diou", heads::Overlap::kDiou}}};

template <typename Value>
std::string_view word_for(Value value, const std::type_identity_t<Words<Value>>& words) {
  const auto found =
      std::find_if(words.begin(), words.end(), [value](const auto& word) { return word.second == value; });
  return found->first;
}

json::string to_json(std::string_view word) { return json::string(word.data(), word.size()); }

// Reads the keys under "yolod", each exactly once, until the first problem, which it keeps.
class RulesReader {
 public:
  explicit RulesReader(const json::object& object) : object_(object) {}

  template <typename Value>
  void word(std::string_view key, const std::type_identity_t<Words<Value>>& words, Value& value) {
    const auto* given = find(key);
    if (given == nullptr) return;
    const auto name = given->is_string() ? text_of(given->get_string()) : std::string_view();
    std::string allowed;
    for (const auto& [word, meaning] : words) {
      if (given->is_string() && word == name) {
        value = meaning;
        return;
      }
      allowed += (allowed.empty() ? "" : ", ") + std::string(word);
    }
    fail(key, allowed + " is allowed");
  }

  void flag(std::string_view key, bool& value) {
    const auto* given = find(key);
    if (given == nullptr) return;
    if (!given->is_bool()) return fail(key, "true or false is allowed");
    value = given->get_bool();
  }

  void number(std::string_view key, float least, float most, float& value) {
    const auto* given = find(key);
    if (given == nullptr) return;
    json::error_code failure;
    const auto number = static_cast<float>(given->to_number<double>(failure));
    if (failure || !(number >= least && number <= most))
      return fail(key, "a number from " + json::serialize(json::value(least)) + " to " +
                           json::serialize(json::value(most)) + " is allowed");
    value = number;
  }

  // Returns the first problem as one line, or an empty text.
  [[nodiscard]] std::string problem() const {
    if (!problem_.empty()) return problem_;
    for (const auto& [key, value] : object_) {
      const std::string_view name(key.data(), key.size());
      if (std::find(known_.begin(), known_.end(), name) == known_.end())
        return "yolod." + common::printable(name, 40) + ": not known here, or not for this task";
    }
    return {};
  }

 private:
  const json::value* find(std::string_view key) {
    known_.push_back(key);
    const auto* value = object_.if_contains({key.data(), key.size()});
    if (value == nullptr) fail(key, "missing");
    return value;
  }

  void fail(std::string_view key, const std::string& what) {
    if (problem_.empty()) problem_ = "yolod." + std::string(key) + ": " + what;
  }

  const json::object& object_;
  std::vector<std::string_view> known_;
  std::string problem_;
};

Outcome<PictureRules> rules_of(const json::value& value, const Metadata& metadata) {
  const auto refuse = [](const std::string& why) {
    return bad_model(std::string(kMetadataFile) + " in the file: " + why);
  };
  const auto* object = value.if_object();
  if (object == nullptr) return refuse("yolod: not an object");
  const bool detector = metadata.task == common::Task::kDetect;
  if (!detector && metadata.task != common::Task::kClassify)
    return refuse("yolod: its task is neither detect nor classify");
  PictureRules rules;
  rules.task = *metadata.task;
  RulesReader reader(*object);
  reader.word("resize", kFits, rules.fit);
  reader.word("sampling", kSamplings, rules.sampling);
  reader.number("grey", 0, 1, rules.grey);
  if (detector) {
    reader.word("layout", kLayouts, rules.layout);
    reader.word("coordinates", kCoordinates, rules.boxes_are_fractions);
    reader.flag("multi_label", rules.multi_label);
    reader.word("nms", kNmsKinds, rules.nms_kind);
    reader.number("beta_nms", 0, 10, rules.beta_nms);
  } else {
    reader.flag("logits", rules.logits);
  }
  if (const auto problem = reader.problem(); !problem.empty()) return refuse(problem);
  if (detector && rules.fit == image::Fit::kCrop) return refuse("yolod.resize: a detector takes the whole picture");
  if (metadata.end_to_end && rules.layout != heads::HeadLayout::kFinal)
    return refuse("end2end and yolod.layout contradict each other");
  return rules;
}

}  // namespace

Outcome<Metadata> parse_metadata(std::string_view text) {
  Metadata metadata;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return metadata;
  json::error_code failure;
  // JSON is UTF-8, and its other bytes can only lie in strings: in names that came from a file in another encoding.
  const auto utf8 = common::as_utf8(common::without_byte_order_mark(text));
  const auto value = json::parse(utf8, failure);
  const auto* object = failure ? nullptr : value.if_object();
  if (object == nullptr) return bad_model(std::string(kMetadataFile) + " in the file is not a JSON object");
  if (const auto* task = object->if_contains("task"); task != nullptr && task->is_string()) {
    metadata.task = task_of(text_of(task->get_string()));
    if (!metadata.task) {
      return bad_model("the file was exported for task " + common::printable(text_of(task->get_string()), 40) +
                       ", which is not served");
    }
  }
  for (const auto* key : {"imgsz", "shape"}) {
    const auto* size = object->if_contains(key);
    if (size != nullptr && !metadata.input_size) metadata.input_size = size_of(*size);
  }
  if (const auto* stride = object->if_contains("stride")) {
    const auto number = stride->to_number<std::int64_t>(failure);
    if (!failure && number > 0 && number <= static_cast<std::int64_t>(kMaxSide)) metadata.stride = number;
  }
  if (const auto* names = object->if_contains("names")) metadata.names = names_of(*names);
  if (const auto* flag = object->if_contains("end2end"); flag != nullptr && flag->is_bool()) {
    metadata.end_to_end = flag->get_bool();
  }
  if (const auto* own = object->if_contains("yolod")) {
    const auto rules = rules_of(*own, metadata);
    if (!rules) return rules.error();
    metadata.rules = *rules;
  }
  return metadata;
}

RuleWords words_of(const PictureRules& rules) {
  return {word_for(rules.fit, kFits), word_for(rules.sampling, kSamplings), word_for(rules.layout, kLayouts),
          word_for(rules.boxes_are_fractions, kCoordinates), word_for(rules.nms_kind, kNmsKinds)};
}

std::string write_metadata(const ExportedNetwork& exported) {
  const auto& network = exported.network;
  const auto& rules = exported.rules;
  const bool detector = rules.task == common::Task::kDetect;
  json::object description{{"description", common::as_utf8(exported.name)},
                           {"task", detector ? "detect" : "classify"},
                           {"stride", exported.stride},
                           {"batch", 1},
                           {"channels", network.channels},
                           {"imgsz", {network.height, network.width}}};
  if (!exported.labels.empty()) {
    json::object names;
    for (std::size_t i = 0; i < exported.labels.size(); ++i)
      names[std::to_string(i)] = common::as_utf8(exported.labels[i]);
    description["names"] = std::move(names);
  }
  const auto words = words_of(rules);
  json::object own{{"resize", to_json(words.resize)}, {"sampling", to_json(words.sampling)}, {"grey", rules.grey}};
  if (detector) {
    own["layout"] = to_json(words.layout);
    own["coordinates"] = to_json(words.coordinates);
    own["multi_label"] = rules.multi_label;
    own["nms"] = to_json(words.nms);
    own["beta_nms"] = rules.beta_nms;
  } else {
    own["logits"] = rules.logits;
  }
  description["yolod"] = std::move(own);
  return json::serialize(description);
}

}  // namespace yolod::model::torchscript
