#include "model/tasks/vision_model.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <exception>
#include <utility>

#include "common/clock.hpp"
#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/image/codec/self_test.hpp"
#include "model/image/planes.hpp"
#include "model/json_picture.hpp"
#include "model/precision.hpp"
#include "model/torch/thread_counts.hpp"

namespace yolod::model {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

image::Normalization to_normalization(const common::PreprocessConfig& preprocess) {
  image::Normalization normalization;
  normalization.scale = static_cast<float>(preprocess.scale);
  for (std::size_t c = 0; c < 3; ++c) {
    normalization.mean[c] = static_cast<float>(preprocess.mean[c]);
    normalization.std[c] = static_cast<float>(preprocess.std[c]);
  }
  normalization.swap_to_rgb = preprocess.order == common::ChannelOrder::kRgb;
  return normalization;
}

// Returns the calling thread's processor time.
Clock::duration processor_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace

Preparation preparation_for(const common::ModelConfig& config, const PictureRules& rules) {
  Preparation preparation;
  preparation.fit = rules.fit;
  preparation.rounding = rounding_of(rules);
  preparation.crop_fraction = config.preprocess.crop_fraction;
  preparation.sampling = rules.sampling;
  preparation.normalization = to_normalization(config.preprocess);
  preparation.normalization.grey = rules.grey;
  return preparation;
}

VisionModel::VisionModel(const common::ModelConfig& config, std::unique_ptr<Network> network,
                         const Preparation& preparation, std::string task, std::vector<std::string> labels)
    : config_(config),
      network_(std::move(network)),
      preparation_(preparation),
      limits_{config.limits.max_pixels, config.limits.max_decode_time},
      decode_memory_(config.limits.max_decode_memory_bytes) {
  const auto& shape = network_->shape();
  input_size_ = {static_cast<int>(shape.width), static_cast<int>(shape.height)};
  needed_ = input_size_;
  if (preparation_.fit == image::Fit::kCrop) {
    const auto grown = [&](int side) { return static_cast<int>(std::ceil(side / preparation_.crop_fraction)); };
    needed_ = {grown(input_size_.width), grown(input_size_.height)};
  }
  description_.task = std::move(task);
  description_.device = network_->device();
  description_.precision = to_string(network_->precision());
  description_.input_width = static_cast<std::uint32_t>(shape.width);
  description_.input_height = static_cast<std::uint32_t>(shape.height);
  description_.labels = std::move(labels);
  description_.input_channels = static_cast<std::uint32_t>(shape.channels);
}

// The first run of each shape makes its oneDNN primitives.
Outcome<void> VisionModel::warm_up(std::span<const std::size_t> sizes) {
  const auto start = Clock::now();
  if (auto done = warm_up_batch(sizes.front()); !done) return done;
  if (sizes.size() > 1) {
    if (auto done = warm_up_batch(sizes.back()); !done) return done;
    constexpr auto kEnough = std::chrono::seconds(2);
    for (const std::size_t images : sizes.subspan(1, sizes.size() - 2)) {
      if (Clock::now() - start >= kEnough) break;
      if (auto done = warm_up_batch(images); !done) return done;
    }
  }
  return config_.batch.target_p99.count() == 0 ? Outcome<void>() : time_batches(sizes);
}

// Measures batches for batch.target_p99, at sizes that at least double, each after its slower first run.
Outcome<void> VisionModel::time_batches(std::span<const std::size_t> sizes) {
  description_.batch_times.clear();
  std::size_t timed = 0;
  for (const std::size_t images : sizes) {
    if (images < 2 * timed && images != sizes.back()) continue;
    if (auto done = warm_up_batch(images); !done) return done;
    const auto took = time_batch(images);
    if (!took) return took.error();
    description_.batch_times.emplace_back(static_cast<std::uint32_t>(images),
                                          static_cast<std::uint32_t>(took->passed.count()));
    timed = images;
  }
  return {};
}

Outcome<Model::BatchTime> VisionModel::time_batch(std::size_t images) {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  const auto input = grey_input(images);
  if (!input) return input.error();
  const auto start = Clock::now();
  const auto processor_start = processor_time();
  if (auto done = run_as_served(**input, images); !done) return done.error();
  BatchTime time;
  time.passed = duration_cast<microseconds>(Clock::now() - start);
  const bool by_processor = network_->device() == "cpu" && thread_count() == 1;
  time.cost = by_processor ? duration_cast<microseconds>(processor_time() - processor_start) : time.passed;
  return time;
}

Outcome<void> VisionModel::use_threads(std::uint32_t threads) {
  set_thread_counts(threads);
  return {};
}

Outcome<void> VisionModel::self_test(SealedProcess process) {
  if (const auto decodes = image::self_test(); !decodes) {
    return bad_model(config_.name + ": self-test: " + decodes.error().message);
  }
  return process == SealedProcess::kLoader ? Outcome<void>() : warm_up_batch(1);
}

Outcome<std::unique_ptr<NetworkInput>> VisionModel::grey_input(std::size_t images) {
  auto input = network_->new_input(images);
  if (!input) return bad_model(config_.name + ": warm-up: " + input.error().message);
  const auto values = (*input)->values();
  std::fill(values.begin(), values.end(), 0.5F);
  return input;
}

Outcome<void> VisionModel::warm_up_batch(std::size_t images) {
  const auto input = grey_input(images);
  if (!input) return input.error();
  const auto head = network_->forward(**input, images, {});
  if (!head) return bad_model(config_.name + ": warm-up: " + head.error().message);
  if (!std::all_of(head->values.begin(), head->values.end(), [](float value) { return std::isfinite(value); })) {
    return bad_model(
        config_.name +
        ": warm-up: the network's output is not finite: its weights are damaged or belong to another network" +
        (network_->precision() == common::Precision::kFp16 ? ", or not for fp16" : ""));
  }
  network_->prepare(**input, images);
  // On a GPU, also run the additional steps of a served batch.
  return network_->device() == "cpu" ? Outcome<void>() : run_as_served(**input, images);
}

Outcome<void> VisionModel::run_as_served(NetworkInput& input, std::size_t images) {
  std::vector<float> thresholds;
  if (const auto usual = threshold({})) thresholds.assign(images, *usual);
  const auto head = network_->forward(input, images, thresholds);
  if (!head) return bad_model(config_.name + ": warm-up: " + head.error().message);
  return {};
}

struct VisionModel::DecodedPictures final : Decoded {
  explicit DecodedPictures(std::span<const Input> given) : inputs(given), outputs(given.size()) {}

  std::span<const Input> inputs;
  std::vector<Output> outputs;
  // The inputs that are valid pictures with valid options; the others already have their answers.
  std::vector<Prepared> batch;
  std::unique_ptr<NetworkInput> network_input;  // the inputs of `batch`, one after another
};

namespace {

// Converts exceptions of libraries (mainly bad_alloc) to an Error that affects only the pictures of `work`.
template <typename Work>
auto guarded(std::string_view what, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, std::string(what) + " failed: " + common::printable(error.what(), 200)};
  }
}

}  // namespace

std::vector<Output> VisionModel::run(std::span<const Input> inputs) { return run_decoded(decode(inputs)); }

std::unique_ptr<Model::Decoded> VisionModel::decode(std::span<const Input> inputs) {
  auto decoded = std::make_unique<DecodedPictures>(inputs);
  const auto done = guarded("the batch", [&] { return decode_into(*decoded); });
  if (!done) {
    for (auto& output : decoded->outputs) output.prediction = done.error();
    decoded->batch.clear();
  }
  return decoded;
}

std::vector<Output> VisionModel::run_decoded(std::unique_ptr<Decoded> decoded) {
  auto& pictures = static_cast<DecodedPictures&>(*decoded);
  const auto done = guarded("the batch", [&] { return compute(pictures); });
  if (!done) {
    for (const auto& prepared : pictures.batch) pictures.outputs[prepared.input_index].prediction = done.error();
  }
  return std::move(pictures.outputs);
}

void VisionModel::bring(const image::Picture& picture, const image::Placement& placement, std::span<float> room) const {
  image::resize_into(picture.view(), placement, input_size_, preparation_.normalization, preparation_.sampling, room);
}

// Takes the first of three equal channels.
void VisionModel::bring_grey(image::Picture& picture, const image::Placement& placement, std::span<float> room) const {
  constexpr std::size_t kChannels = 3;
  picture.make_grey();
  std::vector<float> alike(kChannels * room.size());
  bring(picture, placement, alike);
  for (std::size_t i = 0; i < room.size(); ++i) room[i] = alike[kChannels * i];
}

bool VisionModel::decode_one(const Input& input, std::span<float> room, Output& output, Prepared& prepared) const {
  OwnWork own_work(input);
  const auto start = Clock::now();
  const auto done = guarded("the request", [&]() -> Outcome<void> {
    if (auto checked = check(input.options); !checked) return checked;
    std::vector<std::byte> unwrapped;
    if (has_planes(input)) {
      prepared.image_size = input_size_;
      prepared.placement = {0, 0, input_size_.width, input_size_.height};
      const std::uint64_t bytes = unpacked_bytes(input, room.size_bytes());
      const auto share = bytes == 0 ? image::DecodeMemory::Share() : decode_memory_.take(bytes);
      if (!share) {
        return Error{ErrorCode::kImageTooComplex, "the tensors need more memory than limits.max_decode_memory allows"};
      }
      const auto planes = planes_of(input, unwrapped, room.size_bytes());
      if (!planes) return planes.error();
      return image::interleave_planes(*planes, network_->shape().channels, room);
    }
    const auto file = picture_of(input, unwrapped);
    if (!file) return file.error();
    auto picture = image::decode(*file, limits_, needed_, &decode_memory_);
    if (!picture) return picture.error();
    prepared.image_size = picture->size();
    prepared.placement = image::place(preparation_.fit, prepared.image_size, input_size_, preparation_.rounding,
                                      preparation_.crop_fraction);
    if (network_->shape().channels == 1) {
      bring_grey(*picture, prepared.placement, room);
    } else {
      bring(*picture, prepared.placement, room);
    }
    return {};
  });
  if (!done) {
    own_work.refused();
    output.prediction = done.error();
  }
  output.times.decode_us = common::elapsed_us(start, Clock::now());
  return done.ok();
}

Outcome<void> VisionModel::check_output(std::uint64_t bytes) const {
  if (bytes <= config_.limits.max_result_bytes) return {};
  return Error{ErrorCode::kInvalidParameter, "the output has " + std::to_string(bytes) +
                                                 " bytes, but the model's limits.max_result_bytes is " +
                                                 std::to_string(config_.limits.max_result_bytes)};
}

Outcome<image::Picture> VisionModel::decode_whole(const Input& input) const {
  std::vector<std::byte> unwrapped;
  const auto file = picture_of(input, unwrapped);
  if (!file) return file.error();
  return image::decode(*file, limits_, std::nullopt, &decode_memory_);
}

// Decodes picture i into slot i, then compacts over failed slots. An Error concerns the whole batch: none of its
// pictures was decoded.
Outcome<void> VisionModel::decode_into(DecodedPictures& batch) {
  const std::size_t count = batch.inputs.size();
  auto network_input = network_->new_input(count);
  if (!network_input) return std::move(network_input).error();
  const auto per_image = network_->shape().input_count();
  const auto values = (*network_input)->values();
  std::vector<Prepared> prepared(count);
  std::vector<std::uint8_t> good(count);
  batch.batch.reserve(count);
  for_each_in_parallel(count, [&](std::size_t i) {
    prepared[i].input_index = i;
    good[i] = decode_one(batch.inputs[i], values.subspan(i * per_image, per_image), batch.outputs[i], prepared[i]);
  });
  for (std::size_t i = 0; i < count; ++i) {
    if (good[i] == 0) continue;
    if (const std::size_t place = batch.batch.size(); place != i) {
      const auto from = values.subspan(i * per_image, per_image);
      std::copy(from.begin(), from.end(), values.begin() + static_cast<std::ptrdiff_t>(place * per_image));
    }
    batch.batch.push_back(prepared[i]);
  }
  batch.network_input = std::move(network_input).value();
  return {};
}

// An Error concerns all decoded pictures: none of them has an answer then.
Outcome<void> VisionModel::compute(DecodedPictures& decoded) {
  const auto inputs = decoded.inputs;
  auto& outputs = decoded.outputs;
  const auto& batch = decoded.batch;
  if (batch.empty()) return {};
  std::vector<float> thresholds;
  for (const auto& prepared : batch) {
    if (const auto one = threshold(inputs[prepared.input_index].options)) thresholds.push_back(*one);
  }
  const auto start = Clock::now();
  const auto head = network_->forward(*decoded.network_input, batch.size(), thresholds);
  const auto infer_us = common::elapsed_us(start, Clock::now());
  if (!head) return head.error();
  for (std::size_t b = 0; b < batch.size(); ++b) {
    const auto post_start = Clock::now();
    auto& output = outputs[batch[b].input_index];
    output.prediction =
        guarded("the request", [&] { return answer(*head, b, batch[b], inputs[batch[b].input_index]); });
    output.times.infer_us = infer_us;
    output.times.post_us = common::elapsed_us(post_start, Clock::now());
  }
  return {};
}

}  // namespace yolod::model
