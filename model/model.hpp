// A model, loaded: the one interface between worker/ (and yolodctl) and whatever computes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/content.hpp"
#include "common/domain/description.hpp"
#include "common/domain/options.hpp"
#include "common/domain/prediction.hpp"
#include "common/domain/work_times.hpp"
#include "common/outcome.hpp"

namespace yolod::model {

// Hears when a model begins and ends the work on one input alone, such as decoding a picture: should the process die of
// it, the mark tells which input it was. Called on the thread that does the work; one thread at a time has a mark.
class WorkMark {
 public:
  virtual void own_work_began() = 0;
  // `goes_on`: the input is not refused, and takes part in what its batch is computed for.
  virtual void own_work_ended(bool goes_on) = 0;

 protected:
  ~WorkMark() = default;
};

// One question to the model. `body` is the content as the client sent it (hostile, read-only, valid for the call).
struct Input {
  std::span<const std::byte> body;
  common::ContentKind kind{common::ContentKind::kFile};
  common::PredictionOptions options{};
  // Boxes end at the picture's edge. Darknet's own measure of a detector, alone, takes them as the network has them.
  bool clip_boxes{true};
  // Null: nobody listens. Outlives the call.
  WorkMark* mark{nullptr};
};

// The own work on `input`, as long as this lives.
class OwnWork {
 public:
  explicit OwnWork(const Input& input) : mark_(input.mark) {
    if (mark_ != nullptr) mark_->own_work_began();
  }
  ~OwnWork() {
    if (mark_ != nullptr) mark_->own_work_ended(goes_on_);
  }
  OwnWork(const OwnWork&) = delete;
  OwnWork& operator=(const OwnWork&) = delete;
  // The input is refused: there is nothing more to do for it.
  void refused() { goes_on_ = false; }

 private:
  WorkMark* mark_;
  bool goes_on_{true};
};

// The answer to one Input. An Error's code is one of: kInvalidImage, kImageTooLarge, kUnsupportedMediaType (the
// client's picture), kInvalidParameter (its options), kInternal (ours).
struct Output {
  common::Outcome<common::Prediction> prediction{common::Error{}};
  common::WorkTimes times;
};

enum class SealedProcess { kLoader, kWorker };

// Owned by one process's serving loop; used by one thread at a time, decode() excepted. It may use threads inside.
class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  // Constant from the end of the load on.
  [[nodiscard]] virtual const common::ModelDescription& description() const = 0;

  // Runs the network for batches of these sizes, so that the first client does not pay for it: the first and the last
  // in any case, those between while time allows. Rising, at least one. Output that is not finite, and a throw inside,
  // are an Error (kBadModel). May be called again with others.
  [[nodiscard]] virtual common::Outcome<void> warm_up(std::span<const std::size_t> sizes) = 0;

  // Whether inputs are computed together, so that large batches may take less time for each input.
  [[nodiscard]] virtual bool computes_batches() const { return false; }
  struct BatchTime {
    // What sizes are compared by. Of one thread that computes on a CPU its processor time, so that other processes do
    // not count; else the time that passed.
    std::chrono::microseconds cost{0};
    std::chrono::microseconds passed{0};
  };
  // What a batch of `images` takes now. Errors as those of warm_up(). Only of a model that computes batches.
  [[nodiscard]] virtual common::Outcome<BatchTime> time_batch(std::size_t /*images*/) { return BatchTime(); }

  // In a process that was forked from the one that loaded and warmed up (LoadContext::threads_of_forks), and has one
  // thread: how many it may use from now on. Errors as those of warm_up().
  [[nodiscard]] virtual common::Outcome<void> use_threads(std::uint32_t threads) = 0;

  // After this process was sealed (worker/sandbox): does what a request would have it do, so that a sandbox that does
  // not fit these libraries shows now. Errors as those of warm_up(). In a loader it may do less, since its first worker
  // tests itself.
  [[nodiscard]] virtual common::Outcome<void> self_test(SealedProcess /*process*/) { return {}; }

  // A batch whose pictures have been decoded.
  class Decoded {
   public:
    Decoded() = default;
    Decoded(const Decoded&) = delete;
    Decoded& operator=(const Decoded&) = delete;
    virtual ~Decoded() = default;
  };
  // Whether there is anything to do before the network is free: then run(inputs) is run_decoded(decode(inputs)).
  [[nodiscard]] virtual bool decodes_ahead() const { return false; }
  // On any one thread, also while run_decoded() works on another. `inputs` must live until run_decoded() has returned.
  [[nodiscard]] virtual std::unique_ptr<Decoded> decode(std::span<const Input> /*inputs*/) { return nullptr; }
  [[nodiscard]] virtual std::vector<Output> run_decoded(std::unique_ptr<Decoded> /*decoded*/) { return {}; }

  // Answers every input, in order: outputs.size() == inputs.size() >= 1. One bad image fails its own Output alone.
  // Exceptions of libraries are caught inside.
  [[nodiscard]] virtual std::vector<Output> run(std::span<const Input> inputs) = 0;
};

}  // namespace yolod::model
