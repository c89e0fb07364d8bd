#include "tools/train/learner.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>

#include <algorithm>
#include <boost/asio/packaged_task.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cmath>
#include <exception>
#include <functional>
#include <future>
#include <span>
#include <utility>
#include <vector>

#include "common/text.hpp"
#include "model/precision.hpp"
#include "model/torch/thread_counts.hpp"
#include "model/torch/torch_runtime.hpp"
#include "tools/train/checkpoint.hpp"
#include "tools/train/decode.hpp"
#include "tools/train/head_grid.hpp"
#include "tools/train/loss.hpp"
#include "tools/train/trainable_network.hpp"

namespace yolod::train {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;
using Role = NamedTensor::Role;

Error failed(const char* doing, const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const char* what = torch_error == nullptr ? error.what() : torch_error->what_without_backtrace();
  return {ErrorCode::kInternal, std::string(doing) + ": " + common::printable(what, 300)};
}

Error not_finite(const char* what) {
  return {ErrorCode::kInternal, std::string(what) + " is not finite; a lower rate may help (--rate)"};
}

// The threads of the pool call this. Each of them computes one part of the batch, so LibTorch needs no more threads.
void compute_alone() {
  thread_local const bool set = [] {
    // At its first computation a thread takes the process's number of threads. A number that is set before that is
    // lost.
    (void)at::get_num_threads();
    model::set_thread_counts(1);
    return true;
  }();
  (void)set;
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

// Returns [images, 3, height, width], channels-last. The tensor shares the memory of the batch.
at::Tensor pictures_of(const Batch& batch, const BatchPart& part, const model::darknet::Shape& input) {
  // from_blob takes a mutable pointer, but nothing writes through it.
  auto* values = const_cast<float*>(batch.pixels.data() + part.first * static_cast<std::size_t>(input.count()));
  return at::from_blob(values, {static_cast<std::int64_t>(part.count), input.height, input.width, input.channels},
                       at::TensorOptions().dtype(at::kFloat))
      .permute({0, 3, 1, 2});
}

// Returns whether weight decay applies to a tensor: to the weights of convolutional and connected layers, but not to
// the weights of a shortcut.
bool decays(const NamedTensor& named, const model::darknet::Network& network) {
  if (named.name.front() != 'w') return false;
  const auto layer = static_cast<std::size_t>(std::stoul(named.name.substr(1)));
  return !std::holds_alternative<model::darknet::Shortcut>(network.layers[layer].kind);
}

std::vector<torch::optim::OptimizerParamGroup> parameter_groups(const NetworkTensors& tensors,
                                                                const model::darknet::Network& network,
                                                                double weight_decay) {
  std::vector<at::Tensor> decaying;
  std::vector<at::Tensor> staying;
  for (const auto& one : tensors) {
    if (one.role == Role::kLearned) (decays(one, network) ? decaying : staying).push_back(one.tensor);
  }
  const auto options = [](double decay) {
    return std::make_unique<torch::optim::AdamWOptions>(torch::optim::AdamWOptions().weight_decay(decay));
  };
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::move(decaying), options(weight_decay));
  groups.emplace_back(std::move(staying), options(0));
  return groups;
}

void require_gradients(const NetworkTensors& tensors) {
  for (const auto& [name, tensor, role] : tensors) tensor.set_requires_grad(role == Role::kLearned);
}

NetworkTensors copy_of(const NetworkTensors& tensors) {
  NetworkTensors copies;
  for (const auto& [name, tensor, role] : tensors) copies.push_back({name, tensor.detach().clone(), role});
  return copies;
}

// Returns tensors that share the weights in memory, but have their own gradients, running means and variances.
NetworkTensors replica_of(const NetworkTensors& tensors) {
  NetworkTensors replica;
  for (const auto& [name, tensor, role] : tensors) {
    auto own = role == Role::kRunning ? tensor.clone() : tensor.detach();
    replica.push_back({name, own.set_requires_grad(role == Role::kLearned), role});
  }
  return replica;
}

using Replicas = std::vector<std::unique_ptr<TrainableNetwork>>;

// Writes the sums of the gradients of the first `used` replicas into `learned`. A layer that no head depends on has
// no gradient.
void gather_gradients(const NetworkTensors& learned, const Replicas& replicas, std::size_t used) {
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < learned.size(); ++i) {
    if (learned[i].role != Role::kLearned) continue;
    at::Tensor sum;
    for (std::size_t r = 0; r < used; ++r) {
      const auto& gradient = replicas[r]->tensors()[i].tensor.grad();
      if (gradient.defined()) sum = sum.defined() ? sum.add_(gradient) : gradient.clone();
    }
    learned[i].tensor.mutable_grad() = sum;
  }
}

// Writes the averages of the running means and variances of the first `used` replicas into `learned`. If any is not
// finite, returns false and changes nothing.
bool gather_statistics(const NetworkTensors& learned, const Replicas& replicas, std::size_t used) {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> means(learned.size());
  for (std::size_t i = 0; i < learned.size(); ++i) {
    if (learned[i].role != Role::kRunning) continue;
    means[i] = replicas[0]->tensors()[i].tensor.clone();
    for (std::size_t r = 1; r < used; ++r) means[i].add_(replicas[r]->tensors()[i].tensor);
    means[i].div_(static_cast<double>(used));
    if (!at::isfinite(means[i]).all().item<bool>()) return false;
  }
  for (std::size_t i = 0; i < learned.size(); ++i) {
    if (means[i].defined()) learned[i].tensor.copy_(means[i]);
  }
  return true;
}

std::vector<HeadGrid> heads_with(const std::vector<Objective>& objectives, const model::darknet::Network& network) {
  auto heads = head_grids(network);
  for (std::size_t i = 0; i < objectives.size(); ++i) heads.at(i).objective = objectives[i];
  return heads;
}

// Restores the state before a step.
void reset(const NetworkTensors& replica, const NetworkTensors& learned) {
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < replica.size(); ++i) {
    if (replica[i].role == Role::kLearned) replica[i].tensor.mutable_grad() = at::Tensor();
    if (replica[i].role == Role::kRunning) replica[i].tensor.copy_(learned[i].tensor);
  }
}

}  // namespace

struct Learner::State {
  State(model::darknet::Network of, model::darknet::StoredWeights weights, const LearnerSettings& chosen)
      : network(std::move(of)),
        settings(chosen),
        heads(heads_with(chosen.objectives, network)),
        base(model::darknet::compile_for_training(network, std::move(weights)), heads),
        learned(base.tensors()),
        averaged(base, copy_of(learned)),
        optimizer(parameter_groups(learned, network, chosen.weight_decay)),
        pool(chosen.threads) {
    require_gradients(learned);
    for (const auto& group : optimizer.param_groups())
      parameters.insert(parameters.end(), group.params().begin(), group.params().end());
    for (std::size_t i = 0; i < chosen.threads; ++i)
      replicas.push_back(std::make_unique<TrainableNetwork>(base, replica_of(learned)));
  }

  // Computes a replica's gradients for its part of a batch. A thread of the pool calls it.
  LossValues learn_from(const Batch& batch, const BatchPart& part, std::size_t matches, TrainableNetwork& replica) {
    compute_alone();
    reset(replica.tensors(), learned);
    const auto mode = settings.moves_statistics ? ForwardMode::kTraining : ForwardMode::kEvaluation;
    const auto logits =
        replica.forward(pictures_of(batch, part, network.input), mode, model::scalar_type(settings.precision));
    const auto loss = loss_of(logits, heads, std::span(batch.targets).subspan(part.first, part.count), matches, {});
    loss.total.backward();
    return loss.values;
  }

  // Returns the loss of the whole batch. The gradients of each part stay in its replica.
  LossValues learn_from(const Batch& batch, const std::vector<BatchPart>& parts) {
    const auto matches = count_matches(batch.targets, heads);
    std::vector<std::future<LossValues>> losses;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      std::packaged_task<LossValues()> task([&, i] { return learn_from(batch, parts[i], matches, *replicas[i]); });
      losses.push_back(boost::asio::post(pool, std::move(task)));
    }
    // Wait for all tasks before get() throws, because they refer to local variables.
    for (const auto& loss : losses) loss.wait();
    LossValues sum;
    for (auto& loss : losses) sum += loss.get();
    return sum;
  }

  Outcome<LossValues> step(const Batch& batch, double rate, double average_decay) {
    const auto parts = parts_of(batch.images(), replicas.size());
    const auto loss = learn_from(batch, parts);
    if (!std::isfinite(loss.total)) return not_finite("the loss");
    gather_gradients(learned, replicas, parts.size());
    if (!std::isfinite(torch::nn::utils::clip_grad_norm_(parameters, settings.largest_gradient)))
      return not_finite("a gradient");
    if (!gather_statistics(learned, replicas, parts.size())) return not_finite("a mean or variance of a map");
    for (auto& group : optimizer.param_groups()) group.options().set_lr(rate);
    optimizer.step();
    average(average_decay);
    return loss;
  }

  void average(double decay) {
    const at::NoGradGuard no_gradients;
    const auto& to = averaged.tensors();
    for (std::size_t i = 0; i < to.size(); ++i) {
      if (to[i].role != Role::kConstant) to[i].tensor.lerp_(learned[i].tensor, 1 - decay);
    }
  }

  model::darknet::Network network;
  LearnerSettings settings;
  std::vector<HeadGrid> heads;
  TrainableNetwork base;  // holds the learned weights; its forward() is never called
  const NetworkTensors& learned;
  TrainableNetwork averaged;
  torch::optim::AdamW optimizer;
  std::vector<at::Tensor> parameters;  // parameters of all groups of the optimizer
  Replicas replicas;                   // each thread has a replica
  boost::asio::thread_pool pool;
};

Learner::Learner(std::unique_ptr<State> state) : state_(std::move(state)) {}
Learner::~Learner() = default;

Outcome<std::unique_ptr<Learner>> Learner::create(model::darknet::Network network,
                                                  model::darknet::StoredWeights weights,
                                                  const LearnerSettings& settings) {
  try {
    model::set_thread_counts(static_cast<std::uint32_t>(settings.threads));
    return std::unique_ptr<Learner>(
        new Learner(std::make_unique<State>(std::move(network), std::move(weights), settings)));
  } catch (const std::exception& error) {
    return failed("LibTorch refuses the network", error);
  }
}

Outcome<LossValues> Learner::step(const Batch& batch, double rate, double average_decay) {
  try {
    return state_->step(batch, rate, average_decay);
  } catch (const std::exception& error) {
    return failed("a step failed", error);
  }
}

model::darknet::StoredWeights Learner::weights(std::int64_t images_seen) const {
  return to_stored(state_->network, state_->averaged.tensors(), images_seen);
}

Outcome<std::vector<float>> Learner::raw_head(const Batch& batch) const {
  try {
    const at::NoGradGuard no_gradients;
    const auto logits = state_->averaged.forward(pictures_of(batch, {0, batch.images()}, state_->network.input),
                                                 ForwardMode::kEvaluation, at::kFloat);
    const auto head = decode(logits, state_->heads).contiguous();
    return std::vector<float>(head.data_ptr<float>(), head.data_ptr<float>() + head.numel());
  } catch (const std::exception& error) {
    return failed("the forward pass failed", error);
  }
}

Outcome<void> Learner::save(const std::filesystem::path& file, const RunPosition& position,
                            const std::string& note) const {
  return save_checkpoint(file, {state_->learned, state_->averaged.tensors(), state_->optimizer}, position, note);
}

Outcome<RunPosition> Learner::load(const std::filesystem::path& file, const NoteFits& fits) {
  return load_checkpoint(file, {state_->learned, state_->averaged.tensors(), state_->optimizer}, fits);
}

Outcome<common::Precision> learning_precision(common::Precision asked) {
  return model::resolve_precision(asked, "cpu", model::cpu_bf16());
}

}  // namespace yolod::train
