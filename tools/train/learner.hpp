// Learner is a network during training: its weights, their moving average, and the optimizer's state. This header
// includes no torch header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"
#include "tools/train/loss_values.hpp"
#include "tools/train/objective.hpp"
#include "tools/train/sample.hpp"

namespace yolod::train {

// kAuto selects bf16 if the processor supports it, otherwise fp32. Returns kBadModel for a precision that training
// does not support.
[[nodiscard]] common::Outcome<common::Precision> learning_precision(common::Precision asked);

struct LearnerSettings {
  std::size_t threads{1};                                 // each of them learns from a part of the batch
  common::Precision precision{common::Precision::kFp32};  // of maps and products; kFp32 or kBf16
  double weight_decay{0.02};                              // of weights only, not of biases and normalisation
  double largest_gradient{10};  // a larger norm of all gradients together is scaled down to this
  // true: the forward pass normalises by the batch, which moves the running means and variances. false: it uses the
  // running values and leaves them as they are, as the server does. Start weights were trained on far more pictures.
  bool moves_statistics{true};
  std::vector<Objective> objectives;  // of the heads, in the order of the cfg; empty: the default for each
};

// The progress of a run.
struct RunPosition {
  std::uint64_t step{0};    // steps done
  std::uint64_t images{0};  // pictures learned from
  double seconds{0};        // time of training
};

// Only the thread that created it may call it. It computes with its own threads. Each thread learns from a part of
// the batch and normalises by that part. If the threads normalised by the whole batch, they would have to meet in
// each of some hundred operations, and would wait half of the time.
//
// An exception of LibTorch becomes an Error: kInternal, except for files. weights() throws if there is no memory.
class Learner {
 public:
  // REQUIRES: `network` is trainable (trainable_cfg.hpp), `weights` are weights of this network, and
  // `settings.objectives` is empty or has as many elements as the network has heads. Sets the number
  // of LibTorch's threads for the calling thread to `settings.threads`. Returns kInternal if LibTorch refuses the
  // network.
  [[nodiscard]] static common::Outcome<std::unique_ptr<Learner>> create(model::darknet::Network network,
                                                                        model::darknet::StoredWeights weights,
                                                                        const LearnerSettings& settings);
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;
  ~Learner();

  // Does one step of AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019) with this rate.
  // The averaged weights keep the share `average_decay`. The pictures have the network's input size. If the loss, a
  // gradient, a mean or a variance is not finite, returns kInternal and keeps the weights. So the weights are always
  // finite.
  [[nodiscard]] common::Outcome<LossValues> step(const Batch& batch, double rate, double average_decay);

  // Returns the averaged weights. A run validates and writes these weights.
  [[nodiscard]] model::darknet::StoredWeights weights(std::int64_t images_seen) const;

  // Returns the values of the heads for these pictures in the server's layout: [images, candidates, 5 + classes].
  [[nodiscard]] common::Outcome<std::vector<float>> raw_head(const Batch& batch) const;

  // Saves a checkpoint with the caller's text `note`. Replaces `file` when everything is written. Returns kSystem on
  // failure, and then leaves `file` unchanged.
  [[nodiscard]] common::Outcome<void> save(const std::filesystem::path& file, const RunPosition& position,
                                           const std::string& note) const;
  // Loads a checkpoint of a network with the same shapes, if `fits` accepts its note. Returns kBadModel for another
  // file. If `fits` returns an Error, load() returns it and changes nothing.
  using NoteFits = std::function<common::Outcome<void>(const std::string&)>;
  [[nodiscard]] common::Outcome<RunPosition> load(const std::filesystem::path& file, const NoteFits& fits);

 private:
  struct State;
  explicit Learner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace yolod::train
