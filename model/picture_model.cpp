#include "model/picture_model.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <utility>

#include "common/clock.hpp"
#include "common/text.hpp"
#include "model/image/decode.hpp"
#include "model/precision.hpp"
#include "model/read_file.hpp"
#include "model/thread_counts.hpp"

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

}  // namespace

Preparation preparation_for(const common::ModelConfig& config, const PictureRules& rules) {
  Preparation preparation;
  preparation.fit = rules.fit;
  preparation.crop_fraction = config.preprocess.crop_fraction;
  preparation.sampling = rules.sampling;
  preparation.normalization = to_normalization(config.preprocess);
  preparation.normalization.grey = rules.grey;
  return preparation;
}

PictureModel::PictureModel(const common::ModelConfig& config, std::unique_ptr<Network> network,
                           const Preparation& preparation, std::string task, std::vector<std::string> labels)
    : config_(config), network_(std::move(network)), preparation_(preparation) {
  const auto& shape = network_->shape();
  input_size_ = {static_cast<int>(shape.width), static_cast<int>(shape.height)};
  needed_ = input_size_;
  if (preparation_.fit == image::Fit::kCrop) {
    const auto grown = [&](int side) { return static_cast<int>(std::ceil(side / preparation_.crop_fraction)); };
    needed_ = {grown(input_size_.width), grown(input_size_.height)};
  }
  description_.task = std::move(task);
  description_.device = "cpu";
  description_.precision = to_string(network_->precision());
  description_.input_width = static_cast<std::uint32_t>(shape.width);
  description_.input_height = static_cast<std::uint32_t>(shape.height);
  description_.labels = std::move(labels);
}

// The first run of a shape pays for its oneDNN primitives. One image and a full batch are what load makes most often;
// the sizes between follow while that is cheap.
Outcome<void> PictureModel::warm_up() {
  const auto start = Clock::now();
  const std::size_t most = std::max<std::size_t>(1, config_.batch.max_size);
  if (auto done = warm_up_batch(1); !done) return done;
  if (most > 1) {
    if (auto done = warm_up_batch(most); !done) return done;
  }
  constexpr auto kEnough = std::chrono::seconds(2);
  for (std::size_t images = 2; images < most && Clock::now() - start < kEnough; ++images) {
    if (auto done = warm_up_batch(images); !done) return done;
  }
  return {};
}

Outcome<void> PictureModel::use_threads(std::uint32_t threads) {
  set_thread_counts(threads);
  return {};
}

Outcome<void> PictureModel::warm_up_batch(std::size_t images) {
  auto input = network_->input(images);
  if (!input) return bad_model(config_.name + ": warm-up: " + input.error().message);
  std::fill(input->begin(), input->end(), 0.5F);
  const auto head = network_->forward();
  if (!head) return bad_model(config_.name + ": warm-up: " + head.error().message);
  if (!std::all_of(head->values.begin(), head->values.end(), [](float value) { return std::isfinite(value); })) {
    return bad_model(config_.name +
                     ": warm-up: the network's output is not finite: its weights are damaged or not its own");
  }
  return {};
}

std::vector<Output> PictureModel::run(std::span<const Input> inputs) {
  // What the parts below throw of their own (no memory, above all) fails the batch, not the process.
  std::string what;
  try {
    return run_batch(inputs);
  } catch (const std::exception& error) {
    what = error.what();
  }
  std::vector<Output> outputs(inputs.size());
  for (auto& output : outputs)
    output.prediction = Error{ErrorCode::kInternal, "the batch failed: " + common::printable(what, 200)};
  return outputs;
}

std::vector<Output> PictureModel::run_batch(std::span<const Input> inputs) {
  std::vector<Output> outputs(inputs.size());
  const auto per_image = network_->shape().input_count();

  // Decoded pictures are held until all are known to be good: the batch has room for those alone.
  std::vector<Prepared> batch;
  std::vector<image::Picture> pictures;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto start = Clock::now();
    const auto checked = check(inputs[i].options);
    auto picture = checked ? image::decode(inputs[i].body, config_.limits.max_pixels, needed_)
                           : Outcome<image::Picture>(checked.error());
    outputs[i].times.decode_us = common::elapsed_us(start, Clock::now());
    if (!picture) {
      outputs[i].prediction = std::move(picture).error();
      continue;
    }
    const auto size = picture->size();
    batch.push_back({i, size, image::place(preparation_.fit, size, input_size_, preparation_.crop_fraction)});
    pictures.push_back(std::move(picture).value());
  }
  if (batch.empty()) return outputs;

  const auto fail_all = [&](const Error& error) {
    for (const auto& prepared : batch) outputs[prepared.input_index].prediction = error;
    return std::move(outputs);
  };
  const auto input = network_->input(batch.size());
  if (!input) return fail_all(input.error());
  for (std::size_t b = 0; b < batch.size(); ++b) {
    const auto start = Clock::now();
    image::resize_into(pictures[b].view(), batch[b].placement, input_size_, preparation_.normalization,
                       preparation_.sampling, input->subspan(b * per_image, per_image));
    outputs[batch[b].input_index].times.decode_us += common::elapsed_us(start, Clock::now());
  }
  pictures.clear();

  const auto forward_start = Clock::now();
  const auto head = network_->forward();
  const auto infer_us = common::elapsed_us(forward_start, Clock::now());
  if (!head) return fail_all(head.error());
  for (std::size_t b = 0; b < batch.size(); ++b) {
    const auto start = Clock::now();
    auto& output = outputs[batch[b].input_index];
    output.prediction = answer(*head, b, batch[b], inputs[batch[b].input_index]);
    output.times.infer_us = infer_us;
    output.times.post_us = common::elapsed_us(start, Clock::now());
  }
  return outputs;
}

}  // namespace yolod::model
