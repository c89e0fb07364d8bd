#include "app/api/oip/infer_answer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "app/api/oip/oip_error.hpp"
#include "common/awake_clock.hpp"
#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

namespace beast_http = boost::beast::http;
using common::Outcome;
using common::oip::DataType;

// A piece collects about this many detections, writes this many numbers as JSON, or copies this many bytes. Each takes
// about 0.2 ms.
constexpr std::size_t kItemsAtOnce = 4000;
constexpr std::size_t kNumbersAtOnce = 4000;
constexpr std::size_t kBytesAtOnce = 256 * 1024;
// Shorter bytes are copied behind the JSON, because each part costs a buffer of the kernel's call.
constexpr std::size_t kLeastPartBytes = 16 * 1024;
// Returns the most bytes that an element takes as JSON, with its comma. The memory of a text is reserved at once,
// because a text that grows is copied, which would hold up the event loop. Memory that is not used costs nothing.
constexpr std::size_t most_json_bytes(DataType type) {
  switch (type) {
    case DataType::kBool: return std::string_view("false,").size();
    case DataType::kUint8:
    case DataType::kInt8: return std::string_view("-128,").size();
    case DataType::kUint16:
    case DataType::kInt16: return std::string_view("-32768,").size();
    case DataType::kUint32:
    case DataType::kInt32: return std::string_view("-2147483648,").size();
    case DataType::kUint64:
    case DataType::kInt64: return std::string_view("-9223372036854775808,").size();
    case DataType::kFp32: return std::string_view("-1.17549435e-38,").size();
    case DataType::kFp64: return std::string_view("-2.2250738585072014e-308,").size();
    case DataType::kFp16:
    case DataType::kBf16:
    case DataType::kBytes: break;
  }
  return 1;
}

template <typename Number>
void put(std::vector<std::byte>& bytes, Number number) {
  const auto* const raw = reinterpret_cast<const std::byte*>(&number);
  bytes.insert(bytes.end(), raw, raw + sizeof number);
}

void put_text(std::vector<std::byte>& bytes, std::string_view text) {
  put(bytes, static_cast<std::uint32_t>(text.size()));
  const auto raw = std::as_bytes(std::span(text.data(), text.size()));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

// Appends "value:index:label".
void put_class(std::vector<std::byte>& bytes, const common::Classification& found, std::string_view label) {
  http::TextBuffer text;
  text.add_fixed(found.probability, 6);
  text += ':';
  text.add_whole(found.class_id);
  text += ':';
  text += label;
  put_text(bytes, text.view());
}

template <typename Number>
std::vector<Number> numbers_of(const common::TensorArray& array) {
  std::vector<Number> numbers(array.bytes.size() / sizeof(Number));
  if (!numbers.empty()) std::memcpy(numbers.data(), array.bytes.data(), numbers.size() * sizeof(Number));
  return numbers;
}

// Returns the best classes in a classifier's tensors (app/schedule/completion_check has checked them).
std::vector<common::Classification> classes_in(const common::TensorList& list) {
  const auto ids = numbers_of<std::int32_t>(list.tensors[1].array);
  const auto values = numbers_of<float>(list.tensors[2].array);
  std::vector<common::Classification> classes;
  classes.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    classes.push_back({static_cast<std::uint32_t>(ids[i]), values[i]});
  }
  return classes;
}

// Takes work from the budget of a piece.
void take(std::size_t& budget, std::size_t items) { budget -= std::min(budget, items); }

template <typename Number>
Number number_at(const std::byte* place) {
  Number number{};
  std::memcpy(&number, place, sizeof number);
  return number;
}

template <typename Number>
void append_number(http::TextBuffer& out, const std::byte* place) {
  const auto number = number_at<Number>(place);
  if constexpr (std::is_floating_point_v<Number>) {
    // JSON has no such numbers. Triton writes them so, and its clients read them.
    if (std::isnan(number)) return void(out += "NaN");
    if (std::isinf(number))
      return void(out += number < 0 ? std::string_view("-Infinity") : std::string_view("Infinity"));
  }
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
  out += std::string_view(text, static_cast<std::size_t>(end - text));
}

// Appends an element as JSON and returns its size. REQUIRES: it lies in the tensor's bytes as a whole.
std::size_t append_element(http::TextBuffer& out, DataType type, const std::byte* place) {
  switch (type) {
    case DataType::kBool: out += *place != std::byte{0} ? std::string_view("true") : std::string_view("false"); break;
    case DataType::kUint8: append_number<std::uint8_t>(out, place); break;
    case DataType::kUint16: append_number<std::uint16_t>(out, place); break;
    case DataType::kUint32: append_number<std::uint32_t>(out, place); break;
    case DataType::kUint64: append_number<std::uint64_t>(out, place); break;
    case DataType::kInt8: append_number<std::int8_t>(out, place); break;
    case DataType::kInt16: append_number<std::int16_t>(out, place); break;
    case DataType::kInt32: append_number<std::int32_t>(out, place); break;
    case DataType::kInt64: append_number<std::int64_t>(out, place); break;
    case DataType::kFp32: append_number<float>(out, place); break;
    case DataType::kFp64: append_number<double>(out, place); break;
    case DataType::kFp16:
    case DataType::kBf16: out += "null"; break;  // the handler refuses JSON for these types
    case DataType::kBytes: {
      const auto length = number_at<std::uint32_t>(place);
      const std::string_view text(reinterpret_cast<const char*>(place) + sizeof length, length);
      out.add_json(common::as_utf8(text));
      return sizeof length + length;
    }
  }
  return element_bytes(type);
}

}  // namespace

std::size_t InferAnswer::Tensor::size_bytes() const {
  std::size_t size = bytes.size();
  for (const auto& file : files) size += file.size();
  return size;
}

InferAnswer::InferAnswer(const common::oip::InferRequest& request, const ModelView& view, std::string model,
                         std::uint64_t generation, LongTensors long_tensors, SharedOutputs shared,
                         SharedRegions* regions)
    : request_(request),
      view_(view),
      model_(std::move(model)),
      generation_(generation),
      long_tensors_(long_tensors),
      shared_(std::move(shared)),
      regions_(regions),
      copy_(regions == nullptr ? nullptr : regions->thread()) {
  for (const auto& output : request.outputs) classification_ = std::max(classification_, output.classification);
}

bool InferAnswer::write_some(api::Answers& answers, http::Response& response) {
  switch (stage_) {
    case Stage::kCollect: {
      if (next_answer_ == 0 && next_item_ == 0) {
        if (!std::all_of(answers.begin(), answers.end(), [this](const auto& answer) { return fits(answer); })) {
          write_error(response, {common::ErrorCode::kNotReady,
                                 "the model was replaced while the request waited, and has other outputs now"});
          return true;
        }
        begin_tensors(answers);
      }
      for (std::size_t budget = kItemsAtOnce; next_answer_ < answers.size(); ++next_answer_, next_item_ = 0) {
        if (budget == 0 || !add(answers[next_answer_], budget)) return false;
      }
      if (const auto unknown = choose(); !unknown.empty()) {
        write_failure(response, beast_http::status::bad_request,
                      "unexpected inference output " + in_quotes(unknown) + " for model '" + model_ + "'");
        return true;
      }
      stage_ = Stage::kShared;
      [[fallthrough]];
    }
    case Stage::kShared: {
      const auto written = write_shared();
      if (!written) {
        write_error(response, written.error());
        return true;
      }
      if (!*written) return false;
      stage_ = Stage::kHead;
      [[fallthrough]];
    }
    case Stage::kHead:
      write_head(response);
      stage_ = Stage::kTensors;
      [[fallthrough]];
    case Stage::kTensors:
      if (!write_tensors(response)) return false;
      stage_ = Stage::kBytes;
      [[fallthrough]];
    case Stage::kBytes: return write_bytes(response);
  }
  return true;
}

// ---- the tensors ----

void InferAnswer::begin_tensors(const api::Answers& answers) {
  for (const auto& answer : answers) widest_ = std::max(widest_, width_of(*answer.prediction));
  if (view_.open_outputs) return;  // the answer names its tensors
  std::size_t longest_label = 0;
  for (const auto& label : answers.front().model->labels) longest_label = std::max(longest_label, label.size());
  for (const TensorView& output : view_.outputs) {
    Tensor tensor;
    tensor.name = output.name;
    tensor.type = output.type;
    tensor.shape.push_back(static_cast<std::int64_t>(answers.size()));
    std::size_t elements = answers.size();
    for (const std::int64_t side : output.dims) {
      tensor.shape.push_back(side < 0 ? static_cast<std::int64_t>(widest_) : side);
      elements *= static_cast<std::size_t>(tensor.shape.back());
    }
    const bool is_named = std::any_of(request_.outputs.begin(), request_.outputs.end(),
                                      [&](const auto& wanted) { return wanted.name == output.name; });
    tensor.is_wanted = request_.outputs.empty() || is_named;
    const std::size_t each =
        output.type == DataType::kBytes ? sizeof(std::uint32_t) + longest_label : element_bytes(output.type);
    // The outputs of networks are moved, not copied.
    if (tensor.is_wanted && !view_.is_raw && output.name != kLogits) tensor.bytes.reserve(elements * each);
    tensors_.push_back(std::move(tensor));
  }
}

bool InferAnswer::fits(const schedule::Answer& answer) const {
  const common::Prediction& prediction = *answer.prediction;
  if (const auto* const list = std::get_if<common::TensorList>(&prediction); list != nullptr && view_.takes_pictures) {
    const TensorView* const logits = view_.output(kLogits);
    return logits != nullptr && list->tensors.size() == 3 && list->tensors.front().array.shape == logits->dims;
  }
  switch (view_.answers) {
    case AnswerKind::kDetections: return std::holds_alternative<common::DetectionList>(prediction);
    case AnswerKind::kClasses: return std::holds_alternative<common::ClassificationList>(prediction);
    case AnswerKind::kIdentity: return std::holds_alternative<common::IdentityAnswer>(prediction);
    case AnswerKind::kFile: return std::holds_alternative<common::EncodedFile>(prediction);
    case AnswerKind::kTensors: break;
  }
  const auto* const list = std::get_if<common::TensorList>(&prediction);
  if (list == nullptr || !view_.is_raw) return list != nullptr;
  return list->tensors.size() == (view_.classifies ? 3U : 1U) &&
         fits_dims(list->tensors.front().array.shape, view_.outputs.front().dims);
}

std::size_t InferAnswer::width_of(const common::Prediction& prediction) const {
  if (const auto* const list = std::get_if<common::DetectionList>(&prediction)) return list->detections.size();
  if (const auto* const list = std::get_if<common::ClassificationList>(&prediction)) {
    return list->classifications.size();
  }
  const auto* const list = std::get_if<common::TensorList>(&prediction);
  const bool has_classes = list != nullptr && view_.classifies;
  return has_classes ? static_cast<std::size_t>(list->tensors[1].array.shape.front()) : 1;
}

bool InferAnswer::add(schedule::Answer& answer, std::size_t& budget) {
  return std::visit([&](auto& prediction) { return add(prediction, *answer.model, budget); }, *answer.prediction);
}

// The tensors are num_dets, det_boxes, det_scores, det_classes and labels. A picture with fewer detections than another
// picture of the request is filled up.
bool InferAnswer::add(const common::DetectionList& list, const common::ModelDescription& model, std::size_t& budget) {
  Tensor& count = tensors_[0];
  Tensor& boxes = tensors_[1];
  Tensor& scores = tensors_[2];
  Tensor& classes = tensors_[3];
  Tensor& labels = tensors_[4];
  if (next_item_ == 0) put(count.bytes, static_cast<std::int32_t>(list.detections.size()));
  const std::size_t end = std::min(widest_, next_item_ + budget);
  take(budget, std::max<std::size_t>(1, end - next_item_));
  for (; next_item_ < end; ++next_item_) {
    const bool is_there = next_item_ < list.detections.size();
    const common::Detection detection = is_there ? list.detections[next_item_] : common::Detection{};
    if (boxes.is_wanted) put(boxes.bytes, detection.box);
    if (scores.is_wanted) put(scores.bytes, detection.confidence);
    if (classes.is_wanted) put(classes.bytes, is_there ? static_cast<std::int32_t>(detection.class_id) : -1);
    if (labels.is_wanted) put_text(labels.bytes, is_there ? model.labels[detection.class_id] : std::string_view());
  }
  return next_item_ == widest_;
}

bool InferAnswer::add(const common::ClassificationList& list, const common::ModelDescription& model,
                      std::size_t& budget) {
  take(budget, 1 + widest_);
  add_classifications(list.classifications, model);
  return true;
}

// The tensors are class_ids, probabilities and labels.
void InferAnswer::add_classifications(const std::vector<common::Classification>& found,
                                      const common::ModelDescription& model) {
  for (std::size_t i = 0; i < widest_; ++i) {
    const bool is_there = i < found.size() && found[i].class_id < model.labels.size();
    const common::Classification one = is_there ? found[i] : common::Classification{};
    const std::string_view label = is_there ? model.labels[one.class_id] : std::string_view();
    if (!view_.is_raw) {
      put(tensors_[0].bytes, is_there ? static_cast<std::int32_t>(one.class_id) : -1);
      put(tensors_[1].bytes, one.probability);
      put_text(tensors_[2].bytes, label);
    }
    if (i < classification_) put_class(classes_, one, label);
  }
}

// The tensors are bytes, crc32 and worker_pid.
bool InferAnswer::add(const common::IdentityAnswer& answer, const common::ModelDescription& /*model*/,
                      std::size_t& budget) {
  take(budget, 1);
  put(tensors_[0].bytes, answer.bytes);
  put(tensors_[1].bytes, answer.crc32);
  put(tensors_[2].bytes, answer.worker_pid);
  return true;
}

bool InferAnswer::add(common::EncodedFile& file, const common::ModelDescription& /*model*/, std::size_t& budget) {
  take(budget, 1);
  put(tensors_[0].files.emplace_back(), static_cast<std::uint32_t>(file.bytes.size()));
  tensors_[0].files.push_back(std::move(file.bytes));
  return true;
}

bool InferAnswer::add(common::TensorList& list, const common::ModelDescription& model, std::size_t& budget) {
  take(budget, 1);
  if (view_.is_raw) {
    add_raw(list, model, budget);
  } else if (view_.classifies) {
    take(budget, widest_);
    add_classifications(classes_in(list), model);
    tensors_[3].files.push_back(std::move(list.tensors.front().array.bytes));
  } else {
    for (common::NamedTensor& named : list.tensors) {
      Tensor tensor;
      tensor.name = std::move(named.name);
      tensor.type = common::oip::data_type_of(named.array.type);
      tensor.shape = std::move(named.array.shape);
      tensor.bytes = std::move(named.array.bytes);
      tensors_.push_back(std::move(tensor));
    }
  }
  return true;
}

// Adds one picture of a batch. All pictures have the same shape.
void InferAnswer::add_raw(common::TensorList& list, const common::ModelDescription& model, std::size_t& budget) {
  Tensor& output = tensors_.front();
  common::TensorArray& array = list.tensors.front().array;
  if (classification_ != 0) {
    take(budget, widest_);
    add_classifications(classes_in(list), model);
  }
  output.shape.resize(1);
  output.shape.insert(output.shape.end(), array.shape.begin(), array.shape.end());
  if (output.shape.front() == 1) {
    output.bytes = std::move(array.bytes);
  } else {
    output.files.push_back(std::move(array.bytes));
  }
}

std::string InferAnswer::choose() {
  if (request_.outputs.empty()) {
    for (Tensor& tensor : tensors_) tensor.is_binary = request_.binary_outputs;
    return {};
  }
  std::vector<Tensor> chosen;
  for (const auto& output : request_.outputs) {
    const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                    [&](const Tensor& tensor) { return tensor.name == output.name; });
    if (found == tensors_.end()) return output.name;
    found->is_binary = output.binary.value_or(false) && !output.shared;
    const auto shared =
        std::find_if(shared_.begin(), shared_.end(), [&](const SharedOutput& one) { return one.name == output.name; });
    if (shared != shared_.end()) found->shared = &*shared;
    if (output.classification != 0) {  // the handler has checked that the model classifies
      found->type = DataType::kBytes;
      found->shape.resize(2);
      found->shape.back() = static_cast<std::int64_t>(std::min<std::size_t>(output.classification, widest_));
      found->bytes = std::move(classes_);
      found->files.clear();
    }
    chosen.push_back(std::move(*found));
  }
  tensors_ = std::move(chosen);
  return {};
}

Outcome<bool> InferAnswer::write_shared() {
  std::size_t copied = 0;
  for (; next_tensor_ < tensors_.size(); ++next_tensor_) {
    const Tensor& tensor = tensors_[next_tensor_];
    if (tensor.shared == nullptr) continue;
    const SharedPart& part = tensor.shared->part;
    if (tensor.size_bytes() > part.bytes) {
      return common::Error{common::ErrorCode::kBadRequest,
                           "shared memory size specified with the request for output " + in_quotes(tensor.name) + " (" +
                               std::to_string(part.bytes) + " bytes) should be at least " +
                               std::to_string(tensor.size_bytes()) + " bytes to hold the results"};
    }
    for (; next_part_ <= tensor.files.size(); ++next_part_, at_ = 0) {
      const auto& bytes = next_part_ == 0 ? tensor.bytes : tensor.files[next_part_ - 1];
      while (at_ < bytes.size()) {
        if (copied >= kBytesAtOnce) return false;
        const std::size_t size = std::min(kBytesAtOnce, bytes.size() - at_);
        std::uint64_t grown_bytes = 0;
        const auto put = copy_.write(part, shared_at_, std::span(bytes).subspan(at_, size),
                                     regions_->may_grow(common::AwakeClock::now()), grown_bytes);
        if (!put || !*put) return put;
        regions_->grew(grown_bytes);
        at_ += size;
        shared_at_ += size;
        copied += size;
      }
    }
    next_part_ = 0;
    shared_at_ = 0;
  }
  next_tensor_ = 0;
  return true;
}

// ---- the text ----

void InferAnswer::write_head(http::Response& response) {
  response.start(beast_http::status::ok);
  http::TextBuffer& out = response.body;
  std::size_t bytes = 256;
  for (const Tensor& tensor : tensors_) {
    if (tensor.shared != nullptr) continue;
    bytes += 128;
    if (!tensor.is_binary && tensor.type != DataType::kBytes) {
      bytes += tensor.size_bytes() / element_bytes(tensor.type) * most_json_bytes(tensor.type);
    } else if (!tensor.is_binary || !is_part(tensor.size_bytes())) {
      bytes += tensor.size_bytes();
    }
  }
  out.reserve(bytes);
  out += '{';
  if (!request_.id.empty()) {
    out += R"("id":)";
    out.add_json(request_.id);
    out += ',';
  }
  out += R"("model_name":)";
  out.add_json(model_);
  out += R"(,"model_version":")";
  out.add_whole(generation_);
  out += R"(","outputs":[)";
}

bool InferAnswer::write_tensors(http::Response& response) {
  http::TextBuffer& out = response.body;
  for (; next_tensor_ < tensors_.size(); ++next_tensor_) {
    const Tensor& tensor = tensors_[next_tensor_];
    if (!std::exchange(is_open_, true)) {
      if (next_tensor_ != 0) out += ',';
      out += R"({"name":)";
      out.add_json(tensor.name);
      out += R"(,"datatype":")";
      out += to_string(tensor.type);
      out += R"(","shape":[)";
      for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
        if (i != 0) out += ',';
        out.add_whole(static_cast<std::uint64_t>(tensor.shape[i]));
      }
      if (tensor.shared != nullptr) {
        out += R"(],"parameters":{"shared_memory_region":)";
        out.add_json(common::as_utf8(tensor.shared->region));
        out += R"(,"shared_memory_byte_size":)";
        out.add_whole(tensor.size_bytes());
        out += "}}";
      } else if (tensor.is_binary) {
        out += R"(],"parameters":{"binary_data_size":)";
        out.add_whole(tensor.size_bytes());
        out += "}}";
      } else {
        out += R"(],"data":[)";
      }
    }
    if (!tensor.is_binary && tensor.shared == nullptr && !write_data(tensor, out)) return false;
    is_open_ = false;
    at_ = 0;
  }
  out += "]}";
  next_tensor_ = 0;
  const bool has_bytes = std::any_of(tensors_.begin(), tensors_.end(),
                                     [](const Tensor& tensor) { return tensor.is_binary && tensor.size_bytes() != 0; });
  if (!has_bytes) return true;
  response.content_type = "application/octet-stream";
  response.fields += "Inference-Header-Content-Length: ";
  response.fields.add_whole(out.size());
  response.fields += "\r\n";
  return true;
}

bool InferAnswer::write_data(const Tensor& tensor, http::TextBuffer& out) {
  std::size_t left = kNumbersAtOnce;
  // The first part is the bytes, and the files follow.
  for (; next_part_ <= tensor.files.size(); ++next_part_, at_ = 0) {
    const auto& part = next_part_ == 0 ? tensor.bytes : tensor.files[next_part_ - 1];
    while (at_ < part.size()) {
      if (left-- == 0) return false;
      if (std::exchange(has_element_, true)) out += ',';
      at_ += append_element(out, tensor.type, part.data() + at_);
    }
  }
  out += "]}";
  next_part_ = 0;
  has_element_ = false;
  return true;
}

bool InferAnswer::write_bytes(http::Response& response) {
  std::size_t left = kBytesAtOnce;
  for (; next_tensor_ < tensors_.size(); ++next_tensor_) {
    Tensor& tensor = tensors_[next_tensor_];
    if (!tensor.is_binary) continue;
    // The first part is the bytes, and the files follow.
    for (; next_part_ <= tensor.files.size(); ++next_part_) {
      auto& part = next_part_ == 0 ? tensor.bytes : tensor.files[next_part_ - 1];
      const bool follows_part = !response.parts.empty() && !part.empty();
      if (follows_part || is_part(part.size())) {
        response.parts.push_back(std::move(part));
      } else if (!copy(part, left, response.body)) {
        return false;
      }
    }
    next_part_ = 0;
  }
  return true;
}

bool InferAnswer::is_part(std::size_t bytes) const {
  return long_tensors_ == LongTensors::kAsParts && bytes >= kLeastPartBytes;
}

bool InferAnswer::copy(const std::vector<std::byte>& bytes, std::size_t& left, http::TextBuffer& out) {
  const std::size_t size = std::min(left, bytes.size() - at_);
  out += std::string_view(reinterpret_cast<const char*>(bytes.data()) + at_, size);
  at_ += size;
  left -= size;
  if (at_ < bytes.size()) return false;
  at_ = 0;
  return true;
}

}  // namespace yolod::app::api::oip
