#include "model/tasks/tensor_batches.hpp"

#include <exception>
#include <string_view>
#include <utility>

#include "common/clock.hpp"
#include "common/domain/content.hpp"
#include "common/oip/infer_request.hpp"
#include "common/text.hpp"
#include "model/files/named_arrays.hpp"
#include "model/files/oip_tensors.hpp"
#include "model/unpack.hpp"

namespace yolod::model {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

// Converts exceptions of libraries (mainly bad_alloc) to an Error.
template <typename Work>
auto guarded(Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, "the request failed: " + common::printable(error.what(), 200)};
  }
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint64_t bytes_of(const RowBatch::Tensors& tensors) {
  std::uint64_t bytes = 0;
  for (const auto& tensor : tensors) bytes += tensor.bytes.size();
  return bytes;
}

Outcome<common::Prediction> written(const Input& input, Outcome<std::vector<common::NamedTensor>> results,
                                    const std::string& header) {
  if (!results) return results.error();
  if (!input.options.tensors) return common::Prediction(write_arrays(*results));
  const bool has_header = input.options.packing && input.kind == common::ContentKind::kOip;
  if (has_header) results->push_back(common::oip::header_tensor(header));
  return common::Prediction(common::TensorList{*std::move(results)});
}

}  // namespace

struct TensorBatches::Batch final : Model::Decoded {
  explicit Batch(std::span<const Input> given) : inputs(given), outputs(given.size()) {}

  std::span<const Input> inputs;
  std::vector<Output> outputs;
  std::size_t next{0};               // the first input that has not been read
  std::vector<std::size_t> numbers;  // of the inputs that have been read and are not computed yet
  std::vector<Request> requests;     // these inputs
};

TensorBatches::TensorBatches(Settings settings, RowBatch::Run run)
    : settings_(std::move(settings)),
      run_(std::move(run)),
      copies_(settings_.max_rows == 0 ? 1 : 2),
      memory_(settings_.max_rows == 0 ? settings_.max_bytes : settings_.max_bytes / 2),
      ahead_memory_(settings_.max_bytes / 2) {
  if (settings_.max_rows != 0) rows_.emplace(settings_.max_rows, run_);
}

// ---- reading ----

Outcome<RowBatch::Tensors> TensorBatches::read_tensors(const Input& input, const Reserve& reserve,
                                                       std::string& header) const {
  const auto too_large = [] {
    return Error{ErrorCode::kImageTooComplex, "the tensors need more memory than limits.max_decode_memory allows"};
  };
  std::vector<std::byte> unpacked;
  std::span<const std::byte> content = input.body;
  const bool is_packed = input.options.packing.has_value();
  if (is_packed) {
    auto body = unpack(input.body, input.options.packing->limit_bytes, reserve);
    if (!body) return body.error();
    unpacked = *std::move(body);
    content = unpacked;
  }
  const auto reserve_tensors = [&](std::uint64_t bytes) { return reserve(unpacked.size() + copies_ * bytes); };
  if (input.kind == common::ContentKind::kOip) {
    return read_oip_tensors(text_of(content), settings_.names, settings_.takes_more, is_packed ? &header : nullptr,
                            reserve_tensors);
  }
  // The arrays of such content are no larger than the content.
  if (!reserve_tensors(content.size())) return too_large();
  if (input.kind != common::ContentKind::kFile || !input.options.tensors || !settings_.raw_input) {
    return read_arrays(text_of(content), settings_.names, settings_.takes_more);
  }
  auto array = read_raw_tensor(text_of(content), *settings_.raw_input);
  if (!array) return array.error();
  return RowBatch::Tensors{*std::move(array)};
}

Outcome<bool> TensorBatches::read(const Input& input, image::DecodeMemory& memory, Request& request) const {
  bool is_crowded = false;
  const auto reserve = [&](std::uint64_t bytes) {
    if (bytes > memory.max_bytes()) return false;
    is_crowded = !memory.try_grow(request.share, bytes);
    return !is_crowded;
  };
  auto tensors = read_tensors(input, reserve, request.header);
  if (is_crowded) return false;
  if (!tensors) return tensors.error();
  request.tensors = *std::move(tensors);
  request.share.shrink_to(copies_ * bytes_of(request.tensors));
  return true;
}

void TensorBatches::read_more(Batch& batch, image::DecodeMemory& memory, Marks marks) const {
  for (; batch.next < batch.inputs.size(); ++batch.next) {
    Input input = batch.inputs[batch.next];
    if (marks == Marks::kKept) input.mark = nullptr;
    OwnWork own_work(input);
    const auto start = Clock::now();
    Request request;
    const auto read_it = guarded([&] { return read(input, memory, request); });
    if (read_it && !*read_it) return;
    Output& output = batch.outputs[batch.next];
    output.times.decode_us = common::elapsed_us(start, Clock::now());
    if (read_it) {
      batch.numbers.push_back(batch.next);
      batch.requests.push_back(std::move(request));
    } else {
      own_work.refused();
      output.prediction = read_it.error();
    }
  }
}

std::unique_ptr<Model::Decoded> TensorBatches::decode(std::span<const Input> inputs) {
  auto batch = std::make_unique<Batch>(inputs);
  read_more(*batch, ahead_memory_, Marks::kSet);
  return batch;
}

// ---- computing ----

void TensorBatches::compute_read(Batch& batch) {
  std::vector<RowBatch::Tensors> tensors;
  for (Request& request : batch.requests) tensors.push_back(std::move(request.tensors));
  auto answers = guarded([&]() -> Outcome<std::vector<RowBatch::Answer>> { return rows_->run(std::move(tensors)); });
  for (std::size_t n = 0; n < batch.numbers.size(); ++n) {
    const std::size_t i = batch.numbers[n];
    const auto start = Clock::now();
    Output& output = batch.outputs[i];
    if (answers) {
      RowBatch::Answer& answer = (*answers)[n];
      output.times.infer_us = answer.infer_us;
      output.prediction =
          guarded([&] { return written(batch.inputs[i], std::move(answer.results), batch.requests[n].header); });
    } else {
      output.prediction = answers.error();
    }
    output.times.post_us = common::elapsed_us(start, Clock::now());
  }
  batch.numbers.clear();
  batch.requests.clear();
}

// The marks say that the whole batch is being computed. They stay so while the rest of the batch is read, because a
// crash in the computation of that rest must not be blamed on the requests before it.
std::vector<Output> TensorBatches::run_decoded(std::unique_ptr<Model::Decoded> decoded) {
  auto& batch = static_cast<Batch&>(*decoded);
  compute_read(batch);
  while (batch.next < batch.inputs.size()) {
    const std::size_t before = batch.next;
    read_more(batch, memory_, Marks::kKept);
    if (batch.next == before) {  // memory_ is empty here, so this cannot happen
      batch.outputs[batch.next++].prediction = Error{ErrorCode::kInternal, "no memory for the request"};
    }
    compute_read(batch);
  }
  return std::move(batch.outputs);
}

void TensorBatches::answer_alone(const Input& input, Output& output) {
  const auto start = Clock::now();
  Request request;
  const auto read_it = read(input, memory_, request);
  const auto decoded = Clock::now();
  output.times.decode_us = common::elapsed_us(start, decoded);
  if (!read_it) {
    output.prediction = read_it.error();
    return;
  }
  auto results = run_(std::move(request.tensors));
  const auto ran = Clock::now();
  output.times.infer_us = common::elapsed_us(decoded, ran);
  output.prediction = written(input, std::move(results), request.header);
  output.times.post_us = common::elapsed_us(ran, Clock::now());
}

// Without max_rows the inputs run one after another, because their shapes may differ.
std::vector<Output> TensorBatches::run(std::span<const Input> inputs) {
  if (rows_) return run_decoded(decode(inputs));
  std::vector<Output> outputs(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const OwnWork own_work(inputs[i]);
    const auto done = guarded([&]() -> Outcome<void> {
      answer_alone(inputs[i], outputs[i]);
      return {};
    });
    if (!done) outputs[i].prediction = done.error();
  }
  return outputs;
}

}  // namespace yolod::model
