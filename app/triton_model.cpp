#include "app/triton_model.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "app/proto_text.hpp"
#include "common/domain/tensor.hpp"
#include "common/oip/data_type.hpp"
#include "common/system/plain_file.hpp"
#include "common/text.hpp"

namespace yolod::app {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorCode;
using common::ModelConfig;
using common::Outcome;
using common::TensorConfig;

constexpr const char* kDefaultFile = "model.pt";
constexpr std::int64_t kLongestTensorSide = std::int64_t{1} << 40;

Error wrong(const ProtoField& field, const std::string& what) {
  return {ErrorCode::kBadConfig, "line " + std::to_string(field.line) + ": " + what};
}

std::string key_of(const ProtoField& field) { return common::printable(field.name, 50); }

Error unknown_key(const ProtoField& field, std::string_view allowed) {
  return wrong(field, "this server does not follow the key " + key_of(field) + "; it follows " + std::string(allowed) +
                          ". Write a model.yaml for other settings");
}

Outcome<std::int64_t> number_in(const ProtoField& field, std::int64_t low, std::int64_t high) {
  std::int64_t number = 0;
  const char* const end = field.text.data() + field.text.size();
  const auto [after, failure] = std::from_chars(field.text.data(), end, number);
  if (field.kind != ProtoField::Kind::kWord || failure != std::errc() || after != end || number < low ||
      number > high) {
    return wrong(field,
                 key_of(field) + " must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return number;
}

Outcome<void> expect_text(const ProtoField& field, std::initializer_list<std::string_view> allowed) {
  if (field.kind != ProtoField::Kind::kMessage &&
      std::find(allowed.begin(), allowed.end(), field.text) != allowed.end()) {
    return {};
  }
  std::string words;
  for (const auto word : allowed) words.append(words.empty() ? "" : " or ").append('"' + std::string(word) + '"');
  return wrong(field, key_of(field) + " must be " + words);
}

std::optional<common::oip::DataType> type_named(std::string_view word) {
  using common::oip::DataType;
  for (const auto type : {DataType::kBool, DataType::kUint8, DataType::kInt8, DataType::kInt16, DataType::kInt32,
                          DataType::kInt64, DataType::kFp16, DataType::kFp32, DataType::kFp64}) {
    if (common::oip::config_name(type) == word) return type;
  }
  return std::nullopt;
}

// Triton's backend of PyTorch finds a tensor NAME__3 by its place, and any other by its name.
std::optional<std::uint32_t> place_in(std::string_view name) {
  const auto at = name.rfind("__");
  if (at == std::string_view::npos || at + 2 == name.size()) return std::nullopt;
  std::uint32_t place = 0;
  const auto [after, failure] = std::from_chars(name.data() + at + 2, name.data() + name.size(), place);
  const bool is_place = failure == std::errc() && after == name.data() + name.size() && place < common::kMaxTensors;
  return is_place ? std::optional(place) : std::nullopt;
}

Outcome<TensorConfig> tensor_in(const ProtoField& field, bool has_batch) {
  if (field.kind != ProtoField::Kind::kMessage) return wrong(field, key_of(field) + " must be a message");
  TensorConfig tensor;
  if (has_batch) tensor.shape.push_back(-1);
  bool has_type = false;
  for (const ProtoField& part : field.message.fields) {
    if (part.name == "name" && part.kind == ProtoField::Kind::kText) {
      tensor.name = part.text;
    } else if (part.name == "data_type") {
      const auto type = type_named(part.text);
      if (!type) return wrong(part, "no model of LibTorch takes or gives " + common::printable(part.text, 50));
      tensor.type = *type;
      has_type = true;
    } else if (part.name == "dims") {
      const auto side = number_in(part, -1, kLongestTensorSide);
      if (!side) return side.error();
      if (*side == 0) return wrong(part, "a side of dims must not be 0");
      tensor.shape.push_back(*side);
    } else if (part.name != "format") {  // it only tells clients how a picture lies in the tensor
      return unknown_key(part, "name, data_type, dims and format of a tensor");
    }
  }
  if (tensor.name.empty() || !has_type) return wrong(field, key_of(field) + " must have a name and a data_type");
  if (tensor.shape.size() > common::kMaxDimensions) {
    return wrong(field, "a tensor has at most " + std::to_string(common::kMaxDimensions) + " sides");
  }
  tensor.position = place_in(tensor.name);
  return tensor;
}

Outcome<std::uint32_t> instances_in(const ProtoField& group) {
  if (group.kind != ProtoField::Kind::kMessage) return wrong(group, "instance_group must be a message");
  std::uint32_t count = 1;
  for (const ProtoField& part : group.message.fields) {
    if (part.name == "count") {
      const auto number = number_in(part, 1, common::kMostWorkers);
      if (!number) return number.error();
      count = static_cast<std::uint32_t>(*number);
    } else if (part.name == "kind") {
      if (auto fits = expect_text(part, {"KIND_AUTO", "KIND_CPU"}); !fits) return fits.error();
    } else if (part.name != "name") {
      return unknown_key(part, "name, count and kind of instance_group");
    }
  }
  return count;
}

// Requests form batches in any case, so the preferred sizes change nothing.
Outcome<void> read_batching(const ProtoField& batching, ModelConfig& model) {
  if (batching.kind != ProtoField::Kind::kMessage) return wrong(batching, "dynamic_batching must be a message");
  for (const ProtoField& part : batching.message.fields) {
    if (part.name == "max_queue_delay_microseconds") {
      const auto delay = number_in(part, 0, 10'000'000);
      if (!delay) return delay.error();
      model.batch.max_wait = common::milliseconds(*delay / 1000);
    } else if (part.name != "preferred_batch_size") {
      return unknown_key(part, "preferred_batch_size and max_queue_delay_microseconds of dynamic_batching");
    }
  }
  return {};
}

Outcome<void> add_tensor(const ProtoField& field, bool has_batch, std::vector<TensorConfig>& tensors) {
  auto tensor = tensor_in(field, has_batch);
  if (!tensor) return tensor.error();
  const bool is_there = std::any_of(tensors.begin(), tensors.end(),
                                    [&tensor](const TensorConfig& other) { return other.name == tensor->name; });
  if (is_there) return wrong(field, "two tensors have the name " + common::printable(tensor->name, 50));
  if (tensors.size() == common::kMaxTensors) return wrong(field, "the model has too many tensors");
  tensors.push_back(*std::move(tensor));
  return {};
}

Outcome<void> read_key(const ProtoField& field, ModelConfig& model, std::uint32_t& workers) {
  const bool has_batch = model.batch.max_rows != 0;
  if (field.name == "name") return expect_text(field, {model.name});
  if (field.name == "platform") return expect_text(field, {"pytorch_libtorch"});
  if (field.name == "backend") return expect_text(field, {"pytorch"});
  if (field.name == "max_batch_size") return {};
  if (field.name == "default_model_filename") return {};
  if (field.name == "input") return add_tensor(field, has_batch, model.inputs);
  if (field.name == "output") return add_tensor(field, has_batch, model.outputs);
  if (field.name == "dynamic_batching") return read_batching(field, model);
  if (field.name != "instance_group") {
    return unknown_key(field,
                       "name, platform, backend, max_batch_size, input, output, instance_group, dynamic_batching and "
                       "default_model_filename");
  }
  const auto count = instances_in(field);
  if (!count) return count.error();
  workers += *count;
  return workers <= common::kMostWorkers ? Outcome<void>() : wrong(field, "the model has too many instances");
}

const ProtoField* field_named(const ProtoMessage& message, std::string_view name) {
  const auto found = std::find_if(message.fields.begin(), message.fields.end(),
                                  [name](const ProtoField& field) { return field.name == name; });
  return found == message.fields.end() ? nullptr : &*found;
}

Outcome<ModelConfig> model_in(const ProtoMessage& message, const std::string& name, const fs::path& file) {
  ModelConfig model;
  model.name = name;
  model.task = common::Task::kTensor;
  model.source = common::TorchScriptSource{file, {}};
  // The shapes of the tensors depend on this key, wherever it stands.
  if (const ProtoField* const rows = field_named(message, "max_batch_size")) {
    const auto number = number_in(*rows, 0, common::kMostRows);
    if (!number) return number.error();
    model.batch.max_rows = static_cast<std::uint32_t>(*number);
  }
  if (field_named(message, "platform") == nullptr && field_named(message, "backend") == nullptr) {
    return Error{ErrorCode::kBadConfig, "platform: \"pytorch_libtorch\" or backend: \"pytorch\" is missing"};
  }
  std::uint32_t workers = 0;
  for (const ProtoField& field : message.fields) {
    if (auto read = read_key(field, model, workers); !read) return read.error();
  }
  model.workers = std::max(workers, 1U);
  if (model.inputs.empty()) return Error{ErrorCode::kBadConfig, "the model has no input"};
  return model;
}

// Returns the file in the folder of the largest version that has it, or nothing if no version has it. An Error: the
// folder has too many entries.
Outcome<std::optional<fs::path>> newest_version(const fs::path& folder, const std::string& file) {
  std::optional<fs::path> newest;
  std::uint64_t largest = 0;
  std::size_t left = kMostEntries;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    if (left-- == 0) {
      return Error{ErrorCode::kBadConfig, "the folder has more than " + std::to_string(kMostEntries) + " entries"};
    }
    const std::string name = entry->path().filename().string();
    std::uint64_t version = 0;
    const auto [after, wrong_number] = std::from_chars(name.data(), name.data() + name.size(), version);
    std::error_code absent;
    if (wrong_number != std::errc() || after != name.data() + name.size() || version <= largest) continue;
    if (!fs::is_regular_file(entry->path() / file, absent)) continue;
    largest = version;
    newest = entry->path() / file;
  }
  return newest;
}

}  // namespace

Outcome<ModelConfig> parse_triton_config(std::string_view text, const std::string& name, const fs::path& file) {
  const auto message = parse_proto_text(text);
  if (!message) return message.error();
  return model_in(*message, name, file);
}

Outcome<ModelConfig> read_triton_model(const fs::path& folder, const std::string& name) {
  const auto in_file = [](const Error& why) {
    return Error{ErrorCode::kBadConfig, std::string(kTritonConfig) + ": " + why.message};
  };
  const auto text = common::read_plain_file(folder / kTritonConfig, kMostProtoBytes);
  if (!text) return in_file(text.error());
  const auto message = parse_proto_text(*text);
  if (!message) return in_file(message.error());
  std::string file = kDefaultFile;
  if (const ProtoField* const given = field_named(*message, "default_model_filename")) {
    file = given->text;
    if (file.empty() || file.find('/') != std::string::npos) {
      return in_file(wrong(*given, "default_model_filename must be the name of a file"));
    }
  }
  const auto newest = newest_version(folder, file);
  if (!newest) return newest.error();
  const std::optional<fs::path>& version = *newest;
  if (!version) {
    return Error{ErrorCode::kBadConfig,
                 "there is no version with the file " + common::printable(file, 100) + ", such as 1/model.pt"};
  }
  auto model = model_in(*message, name, *version);
  if (!model) return in_file(model.error());
  return model;
}

}  // namespace yolod::app
