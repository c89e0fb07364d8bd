#include "model/torch/device/forward_pass.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include "common/log.hpp"
#include "model/torch/device/candidates_on_device.hpp"
#include "model/torch/torch_runtime.hpp"

namespace yolod::model {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::int64_t kAnyNumber = std::numeric_limits<std::int64_t>::max();
// After a batch was too large, a batch of that size is not tried for this time; other processes may free memory
// meanwhile.
constexpr std::chrono::minutes kTightFor{1};

// The output of a batch, or of a part of it.
struct Part {
  at::Tensor values;                 // in the processor's memory, float, contiguous
  std::vector<std::size_t> offsets;  // as in RawHead
};

Part on_processor(const at::Tensor& output, bool is_far, std::span<const float> confidence, heads::HeadLayout layout) {
  const bool thresholded = is_far && !confidence.empty() && output.dim() == 3 && layout != heads::HeadLayout::kFinal;
  if (!thresholded) return {output.to(at::kCPU, at::kFloat).contiguous(), {}};
  auto few = keep_above(output.to(at::kFloat), confidence, layout);
  return {std::move(few.values), std::move(few.offsets)};
}

std::vector<std::size_t> sides_of(const at::Tensor& tensor) {
  std::vector<std::size_t> sides;
  for (const auto side : tensor.sizes()) sides.push_back(static_cast<std::size_t>(side));
  return sides;
}

// Joins the parts of a batch, in order.
Part merged(std::vector<Part> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  std::vector<at::Tensor> values;
  Part all;
  std::size_t before = 0;
  for (const auto& part : parts) {
    values.push_back(part.values);
    if (part.offsets.empty()) continue;
    if (!all.offsets.empty()) all.offsets.pop_back();  // the next part's first offset replaces it
    for (const std::size_t offset : part.offsets) all.offsets.push_back(before + offset);
    before += part.offsets.back();
  }
  all.values = all.offsets.empty() ? joined(std::move(values)) : at::cat(values);
  return all;
}

}  // namespace

at::Tensor joined(std::vector<at::Tensor> outputs) {
  std::int64_t rows = 0;
  for (const auto& output : outputs) rows = std::max(rows, output.size(1));
  for (auto& output : outputs) {
    if (output.size(1) < rows && output.dim() == 3) {
      output = at::constant_pad_nd(output, {0, 0, 0, rows - output.size(1)});
    }
  }
  return at::cat(outputs);
}

struct InputStock {
  std::mutex mutex;
  std::vector<at::Tensor> inputs;
};

namespace {

// The destructor returns the input to the stock.
class StockedInput final : public NetworkInput {
 public:
  StockedInput(at::Tensor tensor, std::int64_t images, std::shared_ptr<InputStock> stock)
      : tensor_(std::move(tensor)), images_(images), stock_(std::move(stock)) {}
  ~StockedInput() override {
    constexpr std::size_t kMost = 2;  // the network computes one while the worker fills the other
    const std::lock_guard lock(stock_->mutex);
    if (stock_->inputs.size() < kMost) stock_->inputs.push_back(std::move(tensor_));
  }

  [[nodiscard]] std::span<float> values() override {
    return {tensor_.data_ptr<float>(), static_cast<std::size_t>(images_ * tensor_[0].numel())};
  }
  [[nodiscard]] at::Tensor images(std::size_t count) const {
    return tensor_.narrow(0, 0, static_cast<std::int64_t>(count));
  }

 private:
  at::Tensor tensor_;  // [at least `images`, channels, height, width] float, channels-last
  std::int64_t images_;
  std::shared_ptr<InputStock> stock_;
};

}  // namespace

// A batch of a certain size as a graph of the device.
struct ForwardPass::Recorded {
  at::Tensor input;
  at::Tensor output;
  std::unique_ptr<Device::Graph> graph;  // null: the graph does not pay, or recording is impossible
};

ForwardPass::ForwardPass(DeviceUse use, Compute compute)
    : use_(std::move(use)), compute_(std::move(compute)), stock_(std::make_shared<InputStock>()), most_(kAnyNumber) {}
ForwardPass::~ForwardPass() = default;

Outcome<std::unique_ptr<NetworkInput>> ForwardPass::new_input(const NetworkShape& shape, std::size_t images) {
  const auto count = static_cast<std::int64_t>(images);
  try {
    const c10::InferenceMode inference;
    at::Tensor tensor;
    {
      const std::lock_guard lock(stock_->mutex);
      if (!stock_->inputs.empty()) {
        tensor = std::move(stock_->inputs.back());
        stock_->inputs.pop_back();
      }
    }
    if (!tensor.defined() || tensor.size(0) < count) {
      tensor = at::Tensor();
      tensor =
          use_.device->host_memory({count, static_cast<std::int64_t>(shape.channels),
                                    static_cast<std::int64_t>(shape.height), static_cast<std::int64_t>(shape.width)});
    }
    return std::unique_ptr<NetworkInput>(std::make_unique<StockedInput>(std::move(tensor), count, stock_));
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, "no memory for a batch of " + std::to_string(images) + ": " + reason_of(error)};
  }
}

Outcome<RawHead> ForwardPass::run(NetworkInput& input, std::size_t images, std::span<const float> confidence,
                                  heads::HeadLayout layout) {
  std::string why;
  try {
    const c10::InferenceMode inference;
    const auto given = static_cast<StockedInput&>(input).images(images);
    output_ = at::Tensor();
    RawHead head;
    use_.device->run([&] { head = run_in_parts(given, confidence, layout); });
    return head;
  } catch (const std::exception& error) {
    if (use_.device->is_far() && is_out_of_memory(error)) {
      return Error{ErrorCode::kInternal, "no memory on " + use_.device->name() + " for one image"};
    }
    why = reason_of(error);
  }
  use_.tell_if_lost(why);
  return Error{ErrorCode::kInternal, "the forward pass failed: " + why};
}

std::int64_t ForwardPass::most_at_once(Clock::time_point now) {
  if (most_ != kAnyNumber && now - tight_since_ >= kTightFor) most_ = kAnyNumber;
  return most_;
}

RawHead ForwardPass::run_in_parts(const at::Tensor& images, std::span<const float> confidence,
                                  heads::HeadLayout layout) {
  const auto count = images.size(0);
  std::vector<Part> parts;
  for (std::int64_t first = 0; first < count;) {
    const auto size = std::min(count - first, most_at_once(Clock::now()));
    const auto thresholds = confidence.empty()
                                ? confidence
                                : confidence.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
    try {
      parts.push_back(
          on_processor(on_device(images.narrow(0, first, size)), use_.device->is_far(), thresholds, layout));
      first += size;
    } catch (const std::exception& error) {
      if (size == 1 || !use_.device->is_far() || !is_out_of_memory(error)) throw;
      use_.device->free_unused();
      most_ = (size + 1) / 2;
      tight_since_ = Clock::now();
      common::log_warning("{} has no memory for {} images at once: it runs at most {} at once for a while",
                          use_.device->name(), size, most_);
    }
  }
  auto whole = merged(std::move(parts));
  output_ = std::move(whole.values);
  RawHead head;
  head.values = {output_.data_ptr<float>(), static_cast<std::size_t>(output_.numel())};
  head.offsets = std::move(whole.offsets);
  head.sides = head.offsets.empty() ? sides_of(output_) : std::vector<std::size_t>{static_cast<std::size_t>(count)};
  return head;
}

// Returns a tensor on the device, which is valid until the next call.
at::Tensor ForwardPass::on_device(const at::Tensor& images) {
  if (!use_.device->is_far()) return compute_(images);
  const auto found = recorded_.find(images.size(0));
  if (found == recorded_.end() || !found->second->graph) {
    return compute_(images.to(use_.device->where(), at::kFloat, true));
  }
  found->second->input.copy_(images, true);
  found->second->graph->replay();
  return found->second->output;
}

void ForwardPass::prepare(NetworkInput& input, std::size_t images) {
  const auto count = static_cast<std::int64_t>(images);
  if (!use_.device->is_far() || recorded_.contains(count) || count > most_) return;
  try {
    const c10::InferenceMode inference;
    auto recorded = std::make_unique<Recorded>();
    Recorded& batch = *recorded;
    const auto work = [this, &batch] { batch.output = compute_(batch.input); };
    use_.device->run([&] {
      batch.input = static_cast<StockedInput&>(input).images(images).to(use_.device->where(), at::kFloat);
      work();
    });
    const auto time = [this](const std::function<void()>& pass) {
      constexpr int kPasses = 5;
      use_.device->wait();
      const auto start = Clock::now();
      use_.device->run([&] {
        for (int i = 0; i < kPasses; ++i) pass();
      });
      use_.device->wait();
      return Clock::now() - start;
    };
    const auto plain = time(work);
    batch.output = at::Tensor();
    batch.graph = use_.device->capture(work);
    if (batch.graph) {
      const auto replayed = time([&batch] { batch.graph->replay(); });
      // The graph holds its memory permanently, so a gain of less than 5 % does not justify it.
      if (replayed > plain - plain / 20) batch.graph.reset();
    }
    if (!batch.graph) batch.input = batch.output = at::Tensor();
    common::log_debug("{}: batches of {} run {}", use_.device->name(), images,
                      batch.graph ? "as a graph" : "operator by operator");
    recorded_.emplace(count, std::move(recorded));
  } catch (const std::exception& error) {
    recorded_.emplace(count, std::make_unique<Recorded>());  // do not try again
    const auto why = reason_of(error);
    common::log_debug("{}: batches of {} are not recorded: {}", use_.device->name(), images, why);
    if (!is_out_of_memory(error)) use_.tell_if_lost(why);
  }
}

}  // namespace yolod::model
