// A network while it learns: its weights, their moving average, and what the optimizer remembers. No torch header here.
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
#include "tools/train/sample.hpp"

namespace yolod::train {

// kAuto is bf16 where the processor has it, else fp32. kBadModel for one that nothing is learned in.
[[nodiscard]] common::Outcome<common::Precision> learning_precision(common::Precision asked);

struct LearnerSettings {
  std::size_t threads{1};                                 // each learns from a part of the batch
  common::Precision precision{common::Precision::kFp32};  // of maps and products; kFp32 or kBf16
  double weight_decay{0.02};                              // of weights alone: not of biases and normalisation
  double largest_gradient{10};                            // the norm of all gradients together is cut to this
};

// How far a run is.
struct RunPosition {
  std::uint64_t step{0};    // done
  std::uint64_t images{0};  // seen
  double seconds{0};        // of training
};

// Used by the thread that made it alone; computes with threads of its own. Each has its part of a batch, and normalises
// by that part alone: two threads that must meet in each of some hundred operations would wait for each other half of
// the time.
//
// What LibTorch throws ends inside as an Error: kInternal, but for files. weights() throws where memory runs out.
class Learner {
 public:
  // `network`, which must be trainable (trainable_cfg.hpp), is kept; it begins with `weights`, which are the network's.
  // Sets LibTorch's threads of the calling thread to `settings.threads`.
  [[nodiscard]] static common::Outcome<std::unique_ptr<Learner>> create(model::darknet::Network network,
                                                                        model::darknet::StoredWeights weights,
                                                                        const LearnerSettings& settings);
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;
  ~Learner();

  // One step of AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019) at this rate;
  // `average_decay` of the averaged weights stays. The pictures are of the network's input size. Where the loss, a
  // gradient or what the batch is normalised by is not finite that is an Error, and the weights stay as they are: they
  // are finite always.
  [[nodiscard]] common::Outcome<LossValues> step(const Batch& batch, double rate, double average_decay);

  // The averaged weights: what is evaluated and written.
  [[nodiscard]] model::darknet::StoredWeights weights(std::int64_t images_seen) const;

  // What they make of pictures, as the server gives it: [images, candidates, 5 + classes].
  [[nodiscard]] common::Outcome<std::vector<float>> raw_head(const Batch& batch) const;

  // A checkpoint, with a text that the caller wants beside it. `file` is replaced when all is written: kSystem where
  // that fails, and then it is left alone.
  [[nodiscard]] common::Outcome<void> save(const std::filesystem::path& file, const RunPosition& position,
                                           const std::string& note) const;
  // Takes one of a network of the same shapes (kBadModel), after `fits` agrees with its note, and then goes on from
  // there. Where `fits` does not its Error comes back, and nothing has changed.
  using NoteFits = std::function<common::Outcome<void>(const std::string&)>;
  [[nodiscard]] common::Outcome<RunPosition> load(const std::filesystem::path& file, const NoteFits& fits);

 private:
  struct State;
  explicit Learner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace yolod::train
