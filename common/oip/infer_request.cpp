#include "common/oip/infer_request.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <span>
#include <utility>

#include "common/domain/options.hpp"
#include "common/text.hpp"

namespace yolod::common::oip {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestShown = 100;

Error bad(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

std::string shown(std::string_view text) { return "'" + printable(text, kLongestShown) + "'"; }

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

Error bad_parameter(std::string_view name, std::string_view allowed) {
  return {ErrorCode::kInvalidParameter, std::string("parameter '").append(name).append("' must be ").append(allowed)};
}

// Returns the number if it is a whole number that is not negative.
std::optional<std::uint64_t> whole(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  return std::nullopt;
}

// ---- parameters ----

Outcome<void> read_bool(const json::value& value, std::string_view name, bool& read) {
  if (!value.is_bool()) return bad_parameter(name, "true or false");
  read = value.get_bool();
  return {};
}

Outcome<void> read_fraction(const json::value& value, std::string_view name, std::optional<float>& read) {
  const double number = value.is_number() ? value.to_number<double>() : -1;
  if (!(number >= 0 && number <= 1)) return bad_parameter(name, "a number from 0 to 1");
  read = static_cast<float>(number);
  return {};
}

Outcome<void> read_count(const json::value& value, std::string_view name, std::uint32_t most,
                         std::optional<std::uint32_t>& read) {
  const auto number = whole(value);
  if (number.value_or(0) == 0 || *number > most) {
    return bad_parameter(name, "a whole number from 1 to " + std::to_string(most));
  }
  read = static_cast<std::uint32_t>(*number);
  return {};
}

Outcome<void> read_parameter(std::string_view name, const json::value& value, InferRequest& request) {
  if (name == "binary_data_output") return read_bool(value, name, request.binary_outputs);
  if (name == "confidence") return read_fraction(value, name, request.confidence);
  if (name == "iou") return read_fraction(value, name, request.iou);
  if (name == "max_detections") return read_count(value, name, UINT32_MAX, request.max_detections);
  if (name == "top_k") return read_count(value, name, kMaxTopK, request.top_k);
  if (name == "timeout" || name == "priority") {
    const auto number = whole(value);
    if (!number) return bad_parameter(name, "a whole number");
    if (name == "timeout") {
      request.timeout_us = *number;
    } else {
      request.high_priority = *number == 1;
    }
    return {};
  }
  if (name == "sequence_id") {
    if (whole(value).value_or(1) != 0) return bad_parameter(name, "0, because no model has sequences");
    return {};
  }
  if (name.starts_with("triton_")) {
    return Error{ErrorCode::kInvalidParameter, "parameter keys starting with 'triton_' are reserved: " + shown(name)};
  }
  return {};  // a parameter of another server
}

Outcome<const json::object*> parameters_of(const json::object& owner) {
  const json::value* const parameters = owner.if_contains("parameters");
  if (parameters == nullptr) return nullptr;
  if (!parameters->is_object()) return bad("'parameters' must be an object");
  return &parameters->get_object();
}

// ---- tensors ----

Outcome<std::string> name_of(const json::value& tensor, std::string_view kind) {
  const json::value* const name = tensor.is_object() ? tensor.get_object().if_contains("name") : nullptr;
  if (name == nullptr || !name->is_string()) return bad("each of the " + std::string(kind) + " must have a 'name'");
  return std::string(view(name->get_string()));
}

Outcome<void> read_shape(const json::object& tensor, InferInput& input) {
  const json::value* const shape = tensor.if_contains("shape");
  if (shape == nullptr || !shape->is_array()) return bad("input " + shown(input.name) + " must have a 'shape'");
  if (shape->get_array().size() > kMaxDimensions) {
    return bad("input " + shown(input.name) + " has more than " + std::to_string(kMaxDimensions) + " dimensions");
  }
  std::uint64_t count = 1;
  for (const json::value& side : shape->get_array()) {
    const auto number = whole(side);
    if (!number || *number > INT64_MAX || __builtin_mul_overflow(count, *number, &count)) {
      return bad("the shape of input " + shown(input.name) + " is not valid");
    }
    input.shape.push_back(static_cast<std::int64_t>(*number));
  }
  input.element_count = count;
  return {};
}

// Reads the parameters of a tensor in shared memory, if it is there.
Outcome<void> read_shared(const json::object& parameters, std::string_view kind, const std::string& tensor,
                          std::optional<SharedPlace>& shared) {
  const json::value* const region = parameters.if_contains("shared_memory_region");
  if (region == nullptr) return {};
  if (!region->is_string()) return bad_parameter("shared_memory_region", "a text");
  const json::value* const bytes = parameters.if_contains("shared_memory_byte_size");
  const auto size = bytes == nullptr ? std::nullopt : whole(*bytes);
  if (!size) {
    return bad(std::string(kind) + " " + shown(tensor) +
               " is in shared memory, so it must have the parameter "
               "'shared_memory_byte_size', a whole number");
  }
  shared = SharedPlace{std::string(view(region->get_string())), 0, *size};
  if (const json::value* const offset = parameters.if_contains("shared_memory_offset")) {
    const auto number = whole(*offset);
    if (!number) return bad_parameter("shared_memory_offset", "a whole number");
    shared->offset = *number;
  }
  return {};
}

Outcome<void> read_place(const json::object& tensor, std::size_t value_count, InferInput& input) {
  if (const json::value* const data = tensor.if_contains("data")) {
    const auto number = whole(*data);
    if (!number || *number >= value_count) return bad("'data' of input " + shown(input.name) + " must be an array");
    input.data = static_cast<std::size_t>(*number);
  }
  const auto parameters = parameters_of(tensor);
  if (!parameters) return parameters.error();
  if (*parameters == nullptr) return {};
  if (auto read = read_shared(**parameters, "input", input.name, input.shared); !read) return read.error();
  if (input.shared) {
    if (input.data || (*parameters)->contains("binary_data_size")) {
      return bad("input " + shown(input.name) + " is in shared memory, so it must have no other values");
    }
    input.binary_bytes = input.shared->bytes;
    return {};
  }
  if (const json::value* const bytes = (*parameters)->if_contains("binary_data_size")) {
    input.binary_bytes = whole(*bytes);
    if (!input.binary_bytes) return bad_parameter("binary_data_size", "a whole number");
    if (input.data) return bad("input " + shown(input.name) + " has both 'data' and 'binary_data_size'");
  }
  return {};
}

Outcome<void> check_size(const InferInput& input) {
  if ((input.type == DataType::kFp16 || input.type == DataType::kBf16) && input.data) {
    return bad("input " + shown(input.name) + " has the datatype " + std::string(to_string(input.type)) +
               ", which JSON cannot carry: use the binary data format");
  }
  if (!input.binary_bytes || input.type == DataType::kBytes) return {};
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(input.element_count, std::uint64_t{element_bytes(input.type)}, &bytes) ||
      bytes != *input.binary_bytes) {
    return bad("unexpected size " + std::to_string(*input.binary_bytes) + " for input " + shown(input.name) +
               ", expecting " + std::to_string(bytes) + " bytes for its shape");
  }
  return {};
}

Outcome<InferInput> read_input(const json::value& tensor, std::size_t value_count) {
  InferInput input;
  auto name = name_of(tensor, "inputs");
  if (!name) return name.error();
  input.name = *std::move(name);
  const json::object& members = tensor.get_object();
  const json::value* const type = members.if_contains("datatype");
  if (type == nullptr || !type->is_string()) return bad("input " + shown(input.name) + " must have a 'datatype'");
  const auto known = data_type_from(view(type->get_string()));
  if (!known) {
    return bad("input " + shown(input.name) + " has the unknown datatype " + shown(view(type->get_string())));
  }
  input.type = *known;
  if (auto read = read_shape(members, input); !read) return read.error();
  if (auto read = read_place(members, value_count, input); !read) return read.error();
  if (auto fits = check_size(input); !fits) return fits.error();
  return input;
}

Outcome<InferOutput> read_output(const json::value& tensor) {
  InferOutput output;
  auto name = name_of(tensor, "outputs");
  if (!name) return name.error();
  output.name = *std::move(name);
  const auto parameters = parameters_of(tensor.get_object());
  if (!parameters) return parameters.error();
  if (*parameters == nullptr) return output;
  if (auto read = read_shared(**parameters, "output", output.name, output.shared); !read) return read.error();
  if (const json::value* const binary = (*parameters)->if_contains("binary_data")) {
    bool wanted = false;
    if (auto read = read_bool(*binary, "binary_data", wanted); !read) return read.error();
    output.binary = wanted;
  }
  if (const json::value* const count = (*parameters)->if_contains("classification")) {
    if (whole(*count) == std::uint64_t{0}) return output;
    std::optional<std::uint32_t> classes;
    if (auto read = read_count(*count, "classification", kMaxTopK, classes); !read) return read.error();
    output.classification = *classes;
  }
  return output;
}

template <typename Tensor>
Outcome<void> refuse_twice(const std::vector<Tensor>& tensors, std::string_view kind) {
  for (auto one = tensors.begin(); one != tensors.end(); ++one) {
    const bool again = std::any_of(tensors.begin(), one, [&](const Tensor& other) { return other.name == one->name; });
    if (again) return bad(std::string(kind) + " " + shown(one->name) + " is given twice");
  }
  return {};
}

Outcome<void> read_tensors(const json::object& root, std::size_t value_count, InferRequest& request) {
  const json::value* const inputs = root.if_contains("inputs");
  if (inputs == nullptr || !inputs->is_array()) return bad("the request must have 'inputs', an array");
  const json::value* const outputs = root.if_contains("outputs");
  if (outputs != nullptr && !outputs->is_array()) return bad("'outputs' must be an array");
  const std::size_t output_count = outputs == nullptr ? 0 : outputs->get_array().size();
  if (std::max(inputs->get_array().size(), output_count) > kMaxTensors) {
    return bad("a request may have " + std::to_string(kMaxTensors) + " inputs and as many outputs");
  }
  for (const json::value& tensor : inputs->get_array()) {
    auto input = read_input(tensor, value_count);
    if (!input) return input.error();
    request.inputs.push_back(*std::move(input));
  }
  if (output_count != 0) {
    for (const json::value& tensor : outputs->get_array()) {
      auto output = read_output(tensor);
      if (!output) return output.error();
      request.outputs.push_back(*std::move(output));
    }
  }
  if (auto once = refuse_twice(request.inputs, "input"); !once) return once;
  return refuse_twice(request.outputs, "output");
}

}  // namespace

std::optional<std::uint64_t> InferRequest::binary_bytes() const {
  std::uint64_t sum = 0;
  for (const InferInput& input : inputs) {
    if (__builtin_add_overflow(sum, input.binary_bytes.value_or(0), &sum)) return std::nullopt;
  }
  return sum;
}

bool InferRequest::uses_shared_memory() const {
  const auto is_shared = [](const auto& tensor) { return tensor.shared.has_value(); };
  return std::any_of(inputs.begin(), inputs.end(), is_shared) || std::any_of(outputs.begin(), outputs.end(), is_shared);
}

NamedTensor header_tensor(std::string_view skeleton) {
  NamedTensor tensor;
  tensor.name = kHeaderTensor;
  tensor.array.type = ElementType::kUint8;
  tensor.array.shape = {static_cast<std::int64_t>(skeleton.size())};
  const auto bytes = std::as_bytes(std::span(skeleton.data(), skeleton.size()));
  tensor.array.bytes.assign(bytes.begin(), bytes.end());
  return tensor;
}

Outcome<InferRequest> parse_infer_request(std::string_view skeleton, std::size_t value_count) {
  json::parse_options options;
  options.max_depth = kMaxDimensions;
  json::error_code failure;
  const auto value = json::parse(json::string_view(skeleton.data(), skeleton.size()), failure, {}, options);
  if (failure) return bad("failed to parse the request JSON buffer: it is not well formed");
  if (!value.is_object()) return bad("failed to parse the request JSON buffer: it is not an object");
  const json::object& root = value.get_object();
  InferRequest request;
  if (const json::value* const id = root.if_contains("id")) {
    if (!id->is_string()) return bad("'id' must be a text");
    request.id = view(id->get_string());
  }
  const auto parameters = parameters_of(root);
  if (!parameters) return parameters.error();
  if (*parameters != nullptr) {
    for (const auto& [key, parameter] : **parameters) {
      if (auto read = read_parameter({key.data(), key.size()}, parameter, request); !read) return read.error();
    }
  }
  if (auto read = read_tensors(root, value_count, request); !read) return read.error();
  return request;
}

}  // namespace yolod::common::oip
