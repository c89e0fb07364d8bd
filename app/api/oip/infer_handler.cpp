#include "app/api/oip/infer_handler.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "app/api/oip/oip_error.hpp"
#include "app/api/oip/oip_exchange.hpp"
#include "app/api/option_limits.hpp"
#include "app/api/request_values.hpp"
#include "app/http/characters.hpp"
#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

using common::Error;
using common::ErrorCode;
using common::JsonSplitter;
using common::Outcome;
using common::oip::DataType;
using common::oip::InferInput;

constexpr std::size_t kLengthBytes = 4;  // the length before each element of a BYTES tensor

std::uint32_t length_at(std::span<const std::byte> bytes) {
  std::uint32_t length = 0;  // little-endian, as every machine that yolod runs on
  std::memcpy(&length, bytes.data(), sizeof length);
  return length;
}

// Returns how many pictures a tensor of this shape has: [n] or [n, 1]. Returns 0 for any other shape.
std::size_t picture_count(const InferInput& input) {
  const bool is_list = input.shape.size() == 1 || (input.shape.size() == 2 && input.shape[1] == 1);
  return is_list ? static_cast<std::size_t>(input.shape.front()) : 0;
}

// Returns whether the text has only texts, commas, brackets and blanks. REQUIRES: all of its strings are in `value`.
bool has_only_texts(const JsonSplitter::Value& value) {
  constexpr std::size_t kMostBetween = 4096;  // so that the check is quick for any text
  const char* at = value.text.data();
  const auto are_blank = [&](const char* end) {
    const std::string_view between(at, static_cast<std::size_t>(end - at));
    return between.size() <= kMostBetween && between.find_first_not_of("[], \t\r\n") == std::string_view::npos;
  };
  for (const std::string_view text : value.strings) {
    if (!are_blank(text.data() - 1)) return false;
    at = text.data() + text.size() + 1;
  }
  return are_blank(value.text.data() + value.text.size());
}

Error needs_binary(std::string_view output) {
  return bad_request("output " + in_quotes(output) + " is FP16, which JSON cannot carry: use the binary data format");
}

// Returns "[-1,3,416]". `has_batch` puts -1 in front.
std::string dims_text(const std::vector<std::int64_t>& dims, bool has_batch = false) {
  std::string text = has_batch ? "[-1" : "[";
  for (const std::int64_t side : dims) text.append(text.size() == 1 ? "" : ",").append(std::to_string(side));
  return text + ']';
}

// A network's input has these types; the size of a picture tells which (common/domain/content).
bool is_plane_type(DataType type) {
  return type == DataType::kFp32 || type == DataType::kFp16 || type == DataType::kUint8;
}

// Workers can compute with these types.
bool is_computable(DataType type) {
  switch (type) {
    case DataType::kUint16:
    case DataType::kUint32:
    case DataType::kUint64:
    case DataType::kBytes: return false;
    default: return true;
  }
}

}  // namespace

Outcome<void> InferHandler::begin(const http::RequestView& request, api::Plan& plan, http::Response& response) {
  const http::RequestHead& head = request.head;
  plan_ = &plan;
  began_ = request.began;
  shared_.begin(request.caller);
  auto found = find_model(models_, request.captures);
  if (!found) return found.error();
  plan.model = std::move(found->model);
  view_kind_ = found->view;
  const auto coding = coding_of(head.content_encoding);
  if (!coding) {
    write_failure(response, boost::beast::http::status::not_implemented,
                  "unable to decompress the request: its Content-Encoding is not supported");
    http::add_field(response, "Accept-Encoding", "gzip, deflate");
    plan.is_answered = true;
    return {};
  }
  body_coding_ = *coding;
  answer_coding_ = preferred_coding(head.accept_encoding);
  if (!head.inference_header_length.empty()) {
    json_bytes_ = api::parse_whole<std::uint64_t>(head.inference_header_length);
    if (!json_bytes_) {
      return bad_request("Inference-Header-Content-Length must be a whole number, got: " +
                         common::printable(head.inference_header_length, 40));
    }
  }
  const auto timeout = api::parse_request_timeout(head.request_timeout);
  if (!timeout) return timeout.error();
  if (*timeout) plan.urgency.deadline = began_ + **timeout;
  return {};
}

Outcome<bool> InferHandler::ready(Bytes body, std::size_t budget_bytes, api::Calls& calls) {
  if (!splitter_) {
    view_ = view_of(*plan_->model->config, *plan_->model->dispatcher.description(), view_kind_);
    if (json_bytes_ == std::uint64_t{0}) {
      if (auto made = make_raw_call(body, calls); !made) return made.error();
      return true;
    }
  }
  if (body_coding_ != ContentCoding::kIdentity) {
    return ready_packed(body, budget_bytes, calls);
  }
  if (!splitter_) {
    if (json_bytes_.value_or(0) > body.size()) {
      return bad_request("Inference-Header-Content-Length is " + std::to_string(*json_bytes_) + ", but the body has " +
                         std::to_string(body.size()) + " bytes");
    }
    const std::string_view text(reinterpret_cast<const char*>(body.data()), json_bytes_.value_or(body.size()));
    splitter_.emplace(text, JsonSplitter::End::kOfText);
  }
  const auto split = splitter_->step(budget_bytes);
  if (!split || !*split) return split;
  auto request = common::oip::parse_infer_request(splitter_->skeleton(), splitter_->values().size());
  if (!request) return request.error();
  request_ = *std::move(request);
  const bool has_shared_inputs = std::any_of(request_.inputs.begin(), request_.inputs.end(),
                                             [](const InferInput& input) { return input.shared.has_value(); });
  if (has_shared_inputs && !shared_.is_filled()) {
    if (auto checked = check_request(); !checked) return checked.error();
    if (auto checked = check_inputs(); !checked) return checked.error();
    auto planned = shared_.plan_inputs(request_, {body, json_bytes_.value_or(body.size())}, server_.max_body_bytes,
                                       plan_->model->config->name);
    if (!planned) return planned.error();
    return false;  // fill() comes next
  }
  if (auto made = make_calls(body, body.subspan(json_bytes_.value_or(body.size())), calls); !made) return made.error();
  return true;
}

Outcome<bool> InferHandler::fill(Bytes body, std::span<std::byte> piece, std::size_t budget_bytes) {
  const auto filled = shared_.fill(body, piece, budget_bytes);
  if (!filled || !*filled) return filled;
  // ready() begins again with the new body.
  json_bytes_ = shared_.json_bytes();
  splitter_.reset();
  return true;
}

Outcome<void> InferHandler::make_raw_call(Bytes body, api::Calls& calls) {
  request_.binary_outputs = true;
  if (!view_.takes_pictures) {
    const auto open_sides = [](const TensorView& input, bool has_batch) {
      return std::count(input.dims.begin(), input.dims.end(), -1) + (has_batch ? 1 : 0);
    };
    const bool is_known = view_.inputs.size() == 1 && !view_.open_inputs && view_.inputs.front().declared &&
                          open_sides(view_.inputs.front(), view_.max_batch_size != 0) <= 1;
    if (!is_known) {
      return bad_request("a raw request needs a model with one input of a known shape: send JSON before the bytes");
    }
  }
  options_.tensors = wants_tensors();
  const bool is_packed = body_coding_ != ContentCoding::kIdentity;
  if (is_packed) options_.packing = common::Packing{server_.max_body_bytes};
  const auto kind = view_.is_raw ? common::ContentKind::kPlanes : common::ContentKind::kFile;
  // The size of a compressed tensor is known later (count_rows).
  calls.push_back({body, kind, options_, is_packed ? 1 : rows_of_raw(body.size())});
  return {};
}

Outcome<bool> InferHandler::ready_packed(Bytes body, std::size_t budget_bytes, api::Calls& calls) {
  if (is_read_by_worker()) {
    options_.tensors = true;
    options_.packing = common::Packing{server_.max_body_bytes};
    calls.push_back({body, common::ContentKind::kOip, options_});
    return true;
  }
  if (!splitter_) {
    if (!packed_head_) packed_head_.emplace(body, json_bytes_);
    const auto unpacked = packed_head_->step(budget_bytes);
    if (!unpacked || !*unpacked) return unpacked;
    splitter_.emplace(packed_head_->text(), JsonSplitter::End::kOfText);
  }
  const auto split = splitter_->step(budget_bytes);
  if (!split || !*split) return split;
  auto request = common::oip::parse_infer_request(splitter_->skeleton(), splitter_->values().size());
  if (!request) return request.error();
  request_ = *std::move(request);
  if (auto made = make_packed_calls(body, calls); !made) return made.error();
  return true;
}

// The worker of each picture decompresses the whole body. Therefore all of them together may decompress only a few
// times as much as the largest body.
Outcome<void> InferHandler::make_packed_calls(Bytes body, api::Calls& calls) {
  constexpr std::uint64_t kMostBodies = 4;
  if (auto checked = check_request(); !checked) return checked;
  if (auto checked = check_inputs(); !checked) return checked;
  const auto count = view_.is_raw ? checked_plane_count() : checked_picture_count();
  if (!count) return count.error();
  const InferInput& input = request_.inputs.front();
  if (input.data) {
    if (auto fits = check_texts(*count); !fits) return fits;
  } else if (!input.binary_bytes) {
    return bad_request("input " + in_quotes(input.name) +
                       " of a compressed request must have 'data' or 'binary_data_size'");
  }
  std::uint64_t bytes = 0;
  if (__builtin_add_overflow(packed_head_->text().size(), input.binary_bytes.value_or(0), &bytes) ||
      bytes > server_.max_body_bytes) {
    return bad_request("unable to decompress the request: it has more than the " +
                       std::to_string(server_.max_body_bytes) + " bytes that are allowed");
  }
  if (bytes * *count > kMostBodies * server_.max_body_bytes) {
    return bad_request("a compressed request with " + std::to_string(*count) + " pictures may have " +
                       std::to_string(kMostBodies * server_.max_body_bytes / *count) +
                       " bytes: send fewer pictures, or do not compress them");
  }
  for (std::size_t i = 0; i < *count; ++i) {
    options_.packing = common::Packing{bytes, static_cast<std::uint32_t>(i)};
    const auto kind = view_.is_raw ? common::ContentKind::kOipPlanes : common::ContentKind::kOip;
    calls.push_back({body, kind, options_});
  }
  return {};
}

bool InferHandler::wants_tensors() const {
  if (!view_.takes_pictures) return true;
  const auto is_logits = [](const auto& output) { return output.name == kLogits; };
  return view_.output(kLogits) != nullptr &&
         (request_.outputs.empty() || std::any_of(request_.outputs.begin(), request_.outputs.end(), is_logits));
}

bool InferHandler::is_read_by_worker() const { return !view_.takes_pictures && !view_.is_raw; }

Outcome<void> InferHandler::check_request() {
  if (request_.uses_shared_memory()) {
    if (!shared_.is_on()) {
      return bad_request("a tensor is in shared memory, which this server does not use: oip.shared_memory turns it on");
    }
    if (body_coding_ != ContentCoding::kIdentity) return bad_request("a compressed request must not use shared memory");
    if (auto found = shared_.find_outputs(request_); !found) return found;
  }
  if (request_.timeout_us != 0) {
    // The longest wait is a day, so that the sum cannot overflow.
    constexpr std::uint64_t kMostUs = 86'400'000'000;
    const std::chrono::microseconds timeout(std::min(request_.timeout_us, kMostUs));
    plan_->urgency.deadline = std::min(plan_->urgency.deadline, began_ + timeout);
  }
  if (request_.high_priority) plan_->urgency.priority = schedule::Priority::kHigh;
  options_.confidence = request_.confidence;
  options_.iou = request_.iou;
  options_.max_detections = request_.max_detections;
  options_.top_k = request_.top_k;
  options_.tensors = wants_tensors();
  if (auto within = api::limit_to(*plan_->model->config, options_); !within) return within;
  for (const auto& output : request_.outputs) {
    const TensorView* const view = view_.output(output.name);
    if (view_.outputs_known && view == nullptr) {
      return bad_request("unexpected inference output " + in_quotes(output.name) + " for model " +
                         in_quotes(plan_->model->config->name));
    }
    if (output.classification == 0) {
      const bool is_binary = output.binary.value_or(false) || output.shared;
      if (view != nullptr && view->type == DataType::kFp16 && !is_binary) return needs_binary(output.name);
      continue;
    }
    if (!view_.classifies || (!view_.is_raw && output.name != kProbabilities)) {
      return bad_request("output " + in_quotes(output.name) + " cannot be given as a classification");
    }
    options_.top_k = std::max(output.classification, options_.top_k.value_or(view_.top_k));
  }
  if (request_.outputs.empty() && !request_.binary_outputs) {
    for (const TensorView& output : view_.outputs) {
      if (output.type == DataType::kFp16) return needs_binary(output.name);
    }
  }
  if (view_.takes_pictures && view_.outputs.size() == 1 && view_.outputs.front().type == DataType::kBytes) {
    const bool binary = request_.outputs.empty()
                            ? request_.binary_outputs
                            : request_.outputs[0].binary.value_or(false) || request_.outputs[0].shared;
    if (!binary) return bad_request("output 'image' is a picture, which JSON cannot carry: use the binary data format");
  }
  return {};
}

Outcome<void> InferHandler::check_inputs() const {
  const std::string model = in_quotes(plan_->model->config->name);
  if (request_.inputs.size() < view_.inputs.size() ||
      (request_.inputs.size() > view_.inputs.size() && !view_.open_inputs)) {
    return bad_request("expected " + std::string(view_.open_inputs ? "at least " : "") +
                       std::to_string(view_.inputs.size()) + " inputs but got " +
                       std::to_string(request_.inputs.size()) + " inputs for model " + model);
  }
  for (const InferInput& input : request_.inputs) {
    if (auto checked = check_input(input); !checked) return checked;
  }
  return view_.takes_pictures || view_.is_raw || view_.max_batch_size == 0 ? Outcome<void>() : check_rows();
}

Outcome<void> InferHandler::check_rows() const {
  const std::string model = in_quotes(plan_->model->config->name);
  const auto rows_of = [](const InferInput& input) { return input.shape.empty() ? 0 : input.shape.front(); };
  const std::int64_t rows = rows_of(request_.inputs.front());
  if (rows == 0)
    return bad_request("input " + in_quotes(request_.inputs.front().name) + " for model " + model + " has no rows");
  if (rows > std::int64_t{view_.max_batch_size}) {
    return bad_request("inference request batch-size must be <= " + std::to_string(view_.max_batch_size) + " for " +
                       model);
  }
  for (const InferInput& input : request_.inputs) {
    if (rows_of(input) == rows) continue;
    return bad_request("input " + in_quotes(input.name) + " batch size does not match other inputs for " + model);
  }
  return {};
}

std::uint32_t InferHandler::row_count() const {
  if (view_.max_batch_size == 0) return 1;
  return static_cast<std::uint32_t>(request_.inputs.front().shape.front());  // at most max_batch_size
}

std::uint32_t InferHandler::rows_of_raw(std::uint64_t bytes) const {
  if (!is_read_by_worker() || view_.max_batch_size == 0) return 1;
  const TensorView& input = view_.inputs.front();
  std::uint64_t row_bytes = element_bytes(input.type);
  for (const std::int64_t side : input.dims) {
    const bool fits = side > 0 && !__builtin_mul_overflow(row_bytes, static_cast<std::uint64_t>(side), &row_bytes);
    if (!fits) return 1;
  }
  if (row_bytes == 0) return 1;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(bytes / row_bytes, 1, common::kMostRows));
}

Outcome<void> InferHandler::check_input(const InferInput& input) const {
  const std::string model = in_quotes(plan_->model->config->name);
  const TensorView* const tensor = view_.input(input.name);
  if (tensor == nullptr && !view_.open_inputs) {
    return bad_request("unexpected inference input " + in_quotes(input.name) + " for model " + model);
  }
  if (tensor != nullptr && tensor->declared) return check_declared(input, *tensor);
  if (is_computable(input.type)) return {};
  return bad_request("inference input " + in_quotes(input.name) + " data-type is '" +
                     std::string(to_string(input.type)) + "', but model " + model +
                     " expects numbers of a type that LibTorch has");
}

Outcome<void> InferHandler::check_declared(const InferInput& input, const TensorView& known) const {
  const std::string model = in_quotes(plan_->model->config->name);
  const bool has_type = view_.is_raw ? is_plane_type(input.type) : input.type == known.type;
  if (!has_type) {
    return bad_request("inference input " + in_quotes(input.name) + " data-type is '" +
                       std::string(to_string(input.type)) + "', but model " + model + " expects '" +
                       std::string(to_string(known.type)) + "'");
  }
  if (view_.takes_pictures) return {};  // add_pictures() checks the shape
  const bool has_batch = view_.max_batch_size != 0;
  const std::span<const std::int64_t> shape(input.shape);
  if (has_batch ? !shape.empty() && fits_dims(shape.subspan(1), known.dims) : fits_dims(shape, known.dims)) return {};
  return bad_request("unexpected shape for input " + in_quotes(input.name) + " for model " + model + ". Expected " +
                     dims_text(known.dims, has_batch) + ", got " + dims_text(input.shape));
}

Outcome<void> InferHandler::make_calls(Bytes body, Bytes binary, api::Calls& calls) {
  if (auto checked = check_request(); !checked) return checked;
  if (auto checked = check_inputs(); !checked) return checked;
  if (request_.inputs.empty()) return bad_request("the request has no inputs");
  // A single input may leave out its size if the bytes after the JSON are its values.
  InferInput& first = request_.inputs.front();
  const bool is_implied = request_.inputs.size() == 1 && !first.data && !first.binary_bytes && json_bytes_;
  if (is_implied) {
    const std::uint64_t bytes = first.element_count * element_bytes(first.type);
    const bool fits =
        first.type == DataType::kBytes || (first.element_count <= binary.size() && bytes == binary.size());
    if (!fits)
      return bad_request("unexpected size " + std::to_string(binary.size()) + " for input " + in_quotes(first.name));
    first.binary_bytes = binary.size();
  }
  for (const InferInput& input : request_.inputs) {
    if (input.data || input.binary_bytes) continue;
    return bad_request("input " + in_quotes(input.name) + " must have 'data' or the parameter 'binary_data_size'");
  }
  const auto expected = request_.binary_bytes();
  if (!expected || *expected > binary.size()) {
    return bad_request("unexpected end of the input data for model " + in_quotes(plan_->model->config->name));
  }
  if (*expected < binary.size()) {
    return bad_request("unexpected additional input data for model " + in_quotes(plan_->model->config->name));
  }
  if (view_.is_raw) return add_planes(binary, calls);
  if (view_.takes_pictures) {
    if (is_implied && first.element_count == 1 && picture_count(first) == 1) {
      calls.push_back({binary, common::ContentKind::kFile, options_});
      return {};
    }
    return add_pictures(binary, calls);
  }
  calls.push_back({body, common::ContentKind::kOip, options_, row_count()});
  return {};
}

Outcome<std::size_t> InferHandler::checked_picture_count() const {
  const InferInput& input = request_.inputs.front();
  const std::size_t count = picture_count(input);
  if (count == 0) {
    return bad_request("unexpected shape for input " + in_quotes(input.name) + " for model " +
                       in_quotes(plan_->model->config->name) + ". Expected [-1,1] or [-1]");
  }
  if (count > api::kMostCalls) {
    return bad_request("inference request batch-size must be <= " + std::to_string(api::kMostCalls) + " for " +
                       in_quotes(plan_->model->config->name));
  }
  return count;
}

Outcome<void> InferHandler::add_pictures(Bytes binary, api::Calls& calls) const {
  const auto count = checked_picture_count();
  if (!count) return count.error();
  const bool are_texts = request_.inputs.front().data.has_value();
  return are_texts ? add_text_pictures(*count, calls) : add_binary_pictures(binary, *count, calls);
}

// The picture that a client prepared is a call, as any picture is. So it is batched with pictures of other requests.
Outcome<void> InferHandler::add_planes(Bytes binary, api::Calls& calls) const {
  const auto count = checked_plane_count();
  if (!count) return count.error();
  const std::size_t size = binary.size() / *count;
  if (size == 0 || size * *count != binary.size()) return bad_request("unexpected size for input 'images'");
  for (std::size_t i = 0; i < *count; ++i) {
    calls.push_back({binary.subspan(i * size, size), common::ContentKind::kPlanes, options_});
  }
  return {};
}

Outcome<std::size_t> InferHandler::checked_plane_count() const {
  const InferInput& input = request_.inputs.front();
  const auto count = static_cast<std::size_t>(input.shape.front());
  if (count == 0 || count > api::kMostCalls) {
    return bad_request("inference request batch-size must be <= " + std::to_string(api::kMostCalls) + " for " +
                       in_quotes(plan_->model->config->name));
  }
  if (input.data) return bad_request("input 'images' is large: use the binary data format");
  if (view_.classifies || count == 1) return count;  // the output is short
  const bool is_binary = request_.outputs.empty()
                             ? request_.binary_outputs
                             : std::all_of(request_.outputs.begin(), request_.outputs.end(), [](const auto& output) {
                                 return output.binary.value_or(false) || output.shared;
                               });
  return is_binary ? Outcome<std::size_t>(count)
                   : bad_request("output 'output0' of several pictures is large: use the binary data format");
}

Outcome<void> InferHandler::add_binary_pictures(Bytes binary, std::size_t count, api::Calls& calls) const {
  for (std::size_t i = 0; i < count; ++i) {
    if (binary.size() < kLengthBytes || length_at(binary) > binary.size() - kLengthBytes) {
      return bad_request("incomplete string data for inference input 'image', expecting string " + std::to_string(i) +
                         " of " + std::to_string(count));
    }
    const std::uint32_t length = length_at(binary);
    if (length == 0) return bad_request("picture " + std::to_string(i) + " is empty");
    calls.push_back({binary.subspan(kLengthBytes, length), common::ContentKind::kFile, options_});
    binary = binary.subspan(kLengthBytes + length);
  }
  if (!binary.empty()) {
    return bad_request("unexpected number of string elements for inference input 'image', expecting " +
                       std::to_string(count));
  }
  return {};
}

Outcome<void> InferHandler::check_texts(std::size_t count) const {
  const JsonSplitter::Value& value = splitter_->values()[*request_.inputs.front().data];
  if (value.string_count != count || !has_only_texts(value)) {
    return bad_request("'data' of input 'image' must have " + std::to_string(count) + " texts: pictures in base64");
  }
  const bool has_empty =
      std::any_of(value.strings.begin(), value.strings.end(), [](const std::string_view text) { return text.empty(); });
  return has_empty ? bad_request("a picture is empty") : Outcome<void>();
}

Outcome<void> InferHandler::add_text_pictures(std::size_t count, api::Calls& calls) const {
  if (auto fits = check_texts(count); !fits) return fits;
  for (const std::string_view text : splitter_->values()[*request_.inputs.front().data].strings) {
    calls.push_back({std::as_bytes(std::span(text.data(), text.size())), common::ContentKind::kBase64, options_});
  }
  return {};
}

Outcome<void> InferHandler::take_header(api::Answers& answers) {
  auto* const list = std::get_if<common::TensorList>(&*answers.front().prediction);
  if (list == nullptr || list->tensors.empty() || list->tensors.back().name != common::oip::kHeaderTensor) {
    return Error{ErrorCode::kInternal, "the worker's answer has no header"};
  }
  const auto& bytes = list->tensors.back().array.bytes;
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (header.size() > JsonSplitter::kMostSkeletonBytes) {
    return Error{ErrorCode::kInternal, "the header in the worker's answer is too long"};
  }
  auto request = common::oip::parse_infer_request(header, common::oip::kAnyValueCount);
  if (!request) return request.error();
  request_ = *std::move(request);
  list->tensors.pop_back();
  if (auto checked = check_request(); !checked) return checked;
  if (auto checked = check_inputs(); !checked) return checked;
  plan_->model->metrics.more_rows(row_count() - 1);
  return {};
}

void InferHandler::count_rows(const api::Answers& answers) {
  const auto* const list = std::get_if<common::TensorList>(&*answers.front().prediction);
  if (view_.max_batch_size == 0 || list == nullptr || list->tensors.empty()) return;
  const auto& shape = list->tensors.front().array.shape;
  const std::int64_t rows = shape.empty() ? 1 : std::clamp<std::int64_t>(shape.front(), 1, view_.max_batch_size);
  plan_->model->metrics.more_rows(static_cast<std::uint32_t>(rows - 1));
}

bool InferHandler::render(const Result& result, http::Response& response) {
  if (packer_) return packer_->pack_some(response);
  if (!answer_) {
    const bool is_packed_tensor = options_.packing && is_read_by_worker();
    if (is_packed_tensor && json_bytes_ == std::uint64_t{0}) {
      count_rows(result.answers);
    } else if (is_packed_tensor) {
      if (const auto taken = take_header(result.answers); !taken) {
        write_error(taken.error(), 1, response);
        return true;
      }
    }
    const bool is_picture = plan_->model->config->task == common::Task::kImage;  // it is compressed already
    if (is_picture) answer_coding_ = ContentCoding::kIdentity;
    const auto long_tensors = answer_coding_ == ContentCoding::kIdentity ? InferAnswer::LongTensors::kAsParts
                                                                         : InferAnswer::LongTensors::kInBody;
    answer_.emplace(request_, view_, std::string(result.model), plan_->model->generation, long_tensors,
                    shared_.take_outputs(), shared_.regions());
  }
  if (!answer_->write_some(result.answers, response)) return false;
  if (answer_coding_ == ContentCoding::kIdentity || response.body.size() < AnswerPacker::kLeastBytes) return true;
  packer_.emplace(answer_coding_);
  return false;
}

void InferHandler::write_error(const Error& error, std::uint32_t retry_after_seconds, http::Response& response) {
  oip::write_error(response, error, retry_after_seconds);
}

}  // namespace yolod::app::api::oip
