#include "tools/train/learner.hpp"

#include <ATen/ATen.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>

#include <algorithm>
#include <boost/asio/packaged_task.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <future>
#include <span>
#include <utility>
#include <vector>

#include "common/text.hpp"
#include "model/thread_counts.hpp"
#include "model/torch_runtime.hpp"
#include "tools/train/checkpoint.hpp"
#include "tools/train/loss.hpp"
#include "tools/train/trainable_network.hpp"

namespace yolod::train {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

Error failed(const char* doing, const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const char* what = torch_error == nullptr ? error.what() : torch_error->what_without_backtrace();
  return {ErrorCode::kInternal, std::string(doing) + ": " + common::printable(what, 300)};
}

std::vector<BatchPart> parts_of(std::size_t images, std::size_t most) {
  std::vector<BatchPart> parts;
  const auto count = std::min(images, most);
  for (std::size_t i = 0; i < count; ++i) {
    const auto first = images * i / count;
    parts.push_back({first, images * (i + 1) / count - first});
  }
  return parts;
}

// [images, 3, height, width], channels-last: the batch's own memory, looked at so.
at::Tensor pictures_of(const Batch& batch, const BatchPart& part, const model::darknet::Shape& input) {
  // from_blob takes a mutable pointer; nothing writes there.
  auto* values = const_cast<float*>(batch.pixels.data() + part.first * static_cast<std::size_t>(input.count()));
  return at::from_blob(values, {static_cast<std::int64_t>(part.count), input.height, input.width, input.channels},
                       at::TensorOptions().dtype(at::kFloat))
      .permute({0, 3, 1, 2});
}

// Convolutions' weights decay, the rest does not.
std::vector<torch::optim::OptimizerParamGroup> parameter_groups(const NetworkTensors& tensors, double weight_decay) {
  std::vector<at::Tensor> decaying;
  std::vector<at::Tensor> staying;
  for (const auto& [name, tensor, learned] : named(tensors)) {
    if (learned) (tensor.dim() == 4 ? decaying : staying).push_back(tensor);
  }
  const auto options = [](double decay) {
    return std::make_unique<torch::optim::AdamWOptions>(torch::optim::AdamWOptions().weight_decay(decay));
  };
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::move(decaying), options(weight_decay));
  groups.emplace_back(std::move(staying), options(0));
  return groups;
}

NetworkTensors with_gradients(NetworkTensors tensors) {
  for (const auto& [name, tensor, learned] : named(tensors)) tensor.set_requires_grad(learned);
  return tensors;
}

// The same weights in memory, with gradients of their own; a running mean and variance of its own.
NetworkTensors replica_of(const NetworkTensors& tensors) {
  NetworkTensors replica;
  const auto same = [](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.detach().set_requires_grad(true) : at::Tensor();
  };
  const auto copy = [](const at::Tensor& tensor) { return tensor.defined() ? tensor.clone() : at::Tensor(); };
  for (const auto& layer : tensors)
    replica.push_back(
        {same(layer.weight), same(layer.bias), same(layer.scale), copy(layer.mean), copy(layer.variance)});
  return replica;
}

// The sum of the gradients of the first `used` replicas, and the mean of their running means and variances.
void gather(const NetworkTensors& learned, const std::vector<NetworkTensors>& replicas, std::size_t used) {
  const at::NoGradGuard no_gradients;
  const auto to = named(learned);
  std::vector<std::vector<NamedTensor>> from;
  for (std::size_t r = 0; r < used; ++r) from.push_back(named(replicas[r]));
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto value = [&](std::size_t r) { return to[i].learned ? from[r][i].tensor.grad() : from[r][i].tensor; };
    auto sum = value(0).clone();
    for (std::size_t r = 1; r < used; ++r) sum.add_(value(r));
    if (to[i].learned) {
      to[i].tensor.mutable_grad() = sum;
    } else {
      to[i].tensor.copy_(sum.div_(static_cast<double>(used)));
    }
  }
}

// Back to before a step.
void reset(const NetworkTensors& replica, const NetworkTensors& learned) {
  const at::NoGradGuard no_gradients;
  const auto to = named(replica);
  const auto from = named(learned);
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i].learned) {
      to[i].tensor.mutable_grad() = at::Tensor();
    } else {
      to[i].tensor.copy_(from[i].tensor);
    }
  }
}

}  // namespace

struct Learner::State {
  State(model::darknet::Network of, const LearnerSettings& chosen)
      : network(std::move(of)),
        settings(chosen),
        heads(head_grids(network)),
        learned(with_gradients(initial_tensors(network, chosen.seed))),
        averaged(copy_of(learned)),
        optimizer(parameter_groups(learned, chosen.weight_decay)),
        pool(chosen.threads) {
    for (const auto& group : optimizer.param_groups())
      parameters.insert(parameters.end(), group.params().begin(), group.params().end());
    for (std::size_t i = 0; i < chosen.threads; ++i) replicas.push_back(replica_of(learned));
  }

  // A replica's gradients for its part of a batch, on a thread of the pool.
  LossValues learn_from(const Batch& batch, const BatchPart& part, std::size_t matches, const NetworkTensors& replica) {
    model::set_thread_counts(1);  // of this thread: the parts are what runs in parallel
    reset(replica, learned);
    const auto logits = forward(network, replica, pictures_of(batch, part, network.input), ForwardMode::kTraining,
                                model::scalar_type(settings.precision));
    const auto loss = loss_of(logits, heads, std::span(batch.targets).subspan(part.first, part.count), matches, {});
    loss.total.backward();
    return loss.values;
  }

  LossValues learn_from(const Batch& batch) {
    const auto parts = parts_of(batch.images(), replicas.size());
    const auto matches = count_matches(batch.targets, heads);
    std::vector<std::future<LossValues>> losses;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      std::packaged_task<LossValues()> task([&, i] { return learn_from(batch, parts[i], matches, replicas[i]); });
      losses.push_back(boost::asio::post(pool, std::move(task)));
    }
    // All of them, before any may throw: they refer to what is here.
    for (const auto& loss : losses) loss.wait();
    LossValues sum;
    for (auto& loss : losses) sum += loss.get();
    gather(learned, replicas, parts.size());
    return sum;
  }

  void average(double decay) {
    const at::NoGradGuard no_gradients;
    const auto from = named(learned);
    const auto to = named(averaged);
    for (std::size_t i = 0; i < to.size(); ++i) to[i].tensor.lerp_(from[i].tensor, 1 - decay);
  }

  model::darknet::Network network;
  LearnerSettings settings;
  std::vector<HeadGrid> heads;
  NetworkTensors learned;
  NetworkTensors averaged;
  torch::optim::AdamW optimizer;
  std::vector<at::Tensor> parameters;    // the optimizer's, all groups
  std::vector<NetworkTensors> replicas;  // one a thread
  boost::asio::thread_pool pool;
};

Learner::Learner(std::unique_ptr<State> state) : state_(std::move(state)) {}
Learner::~Learner() = default;

Outcome<std::unique_ptr<Learner>> Learner::create(model::darknet::Network network, const LearnerSettings& settings) {
  if (auto trainable = check_trainable(network); !trainable) return std::move(trainable).error();
  try {
    return std::unique_ptr<Learner>(new Learner(std::make_unique<State>(std::move(network), settings)));
  } catch (const std::exception& error) {
    return failed("LibTorch refuses the network", error);
  }
}

Outcome<LossValues> Learner::step(const Batch& batch, double rate, double average_decay) {
  try {
    const auto loss = state_->learn_from(batch);
    torch::nn::utils::clip_grad_norm_(state_->parameters, state_->settings.largest_gradient);
    for (auto& group : state_->optimizer.param_groups()) group.options().set_lr(rate);
    state_->optimizer.step();
    state_->average(average_decay);
    return loss;
  } catch (const std::exception& error) {
    return failed("a step failed", error);
  }
}

model::darknet::StoredWeights Learner::weights(std::int64_t images_seen) const {
  return to_stored(state_->network, state_->averaged, images_seen);
}

Outcome<std::vector<float>> Learner::raw_head(const Batch& batch) const {
  try {
    const at::NoGradGuard no_gradients;
    const auto logits =
        forward(state_->network, state_->averaged, pictures_of(batch, {0, batch.images()}, state_->network.input),
                ForwardMode::kEvaluation, at::kFloat);
    const auto head = decode(logits, state_->heads).contiguous();
    return std::vector<float>(head.data_ptr<float>(), head.data_ptr<float>() + head.numel());
  } catch (const std::exception& error) {
    return failed("the forward pass failed", error);
  }
}

Outcome<void> Learner::save(const std::filesystem::path& file, const RunPosition& position) const {
  return save_checkpoint(file, {state_->learned, state_->averaged, state_->optimizer}, position);
}

Outcome<RunPosition> Learner::load(const std::filesystem::path& file) {
  return load_checkpoint(file, {state_->learned, state_->averaged, state_->optimizer});
}

}  // namespace yolod::train
