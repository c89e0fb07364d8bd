// The interface of a loaded model, which worker/ and yolodctl use for every kind of model.
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

// A model calls it when it begins and ends the work on a single input, such as decoding a picture. If the process
// dies meanwhile, the mark tells which input the model was working on. The model calls it on the thread that does the
// work, and only one thread at a time uses a mark.
class WorkMark {
 public:
  virtual void own_work_began() = 0;
  // `goes_on` is false if the input is refused; otherwise the input takes part in the batch's computation.
  virtual void own_work_ended(bool goes_on) = 0;

 protected:
  ~WorkMark() = default;
};

// An input of the model. `body` is the client's content: hostile, read-only, and valid for the duration of the call.
struct Input {
  std::span<const std::byte> body;
  common::ContentKind kind{common::ContentKind::kFile};
  common::PredictionOptions options{};
  // If true, boxes are clipped to the picture. Only the evaluation by Darknet's measure uses boxes beyond the edge.
  bool clip_boxes{true};
  // May be null. It must outlive the call.
  WorkMark* mark{nullptr};
};

// Marks the work on a single `input` for the lifetime of this object.
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
  // Call it if the input is refused, so that no further work on it follows.
  void refused() { goes_on_ = false; }

 private:
  WorkMark* mark_;
  bool goes_on_{true};
};

// The answer to an Input. The code of an Error is kInvalidImage, kImageTooLarge, kUnsupportedMediaType (the client's
// picture), kInvalidParameter (the client's options) or kInternal (the server).
struct Output {
  common::Outcome<common::Prediction> prediction{common::Error{}};
  common::WorkTimes times;
};

enum class SealedProcess { kLoader, kWorker };

// The serving loop of one process owns it. One thread at a time may use it; only decode() may run beside another
// call. A model may use threads internally.
class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  // The description does not change after the load.
  [[nodiscard]] virtual const common::ModelDescription& description() const = 0;

  // Runs the network for batches of these sizes, so that the first client does not wait for it. It always runs the
  // first and the last size, and the others while time allows. REQUIRES: `sizes` is rising and not empty. Returns an
  // Error (kBadModel) if the output is not finite or the network throws. It may be called again with other sizes.
  [[nodiscard]] virtual common::Outcome<void> warm_up(std::span<const std::size_t> sizes) = 0;

  // Returns whether the model computes inputs together, so that larger batches may cost less time per input.
  [[nodiscard]] virtual bool computes_batches() const { return false; }
  struct BatchTime {
    // The cost for comparing batch sizes. If one CPU thread computes, it is that thread's processor time, which other
    // processes do not affect; otherwise it is the elapsed time.
    std::chrono::microseconds cost{0};
    std::chrono::microseconds passed{0};
  };
  // Measures a batch of `images`. Errors are as in warm_up(). REQUIRES: computes_batches().
  [[nodiscard]] virtual common::Outcome<BatchTime> time_batch(std::size_t /*images*/) { return BatchTime(); }

  // Sets the number of threads from now on. REQUIRES: this process has one thread, and another process loaded the
  // model, warmed it up and forked this one (LoadContext::threads_of_forks). Errors are as in warm_up().
  [[nodiscard]] virtual common::Outcome<void> use_threads(std::uint32_t threads) = 0;

  // Executes the same operations as a request, after the process was sealed (worker/sandbox), so that a sandbox
  // which denies a needed call is detected before the model serves. Errors are as in warm_up(). In a loader the test
  // may do less, because the first worker tests itself too.
  [[nodiscard]] virtual common::Outcome<void> self_test(SealedProcess /*process*/) { return {}; }

  // A batch of decoded pictures.
  class Decoded {
   public:
    Decoded() = default;
    Decoded(const Decoded&) = delete;
    Decoded& operator=(const Decoded&) = delete;
    virtual ~Decoded() = default;
  };
  // Returns whether part of a batch can be done before the network is free. In that case run(inputs) is the same as
  // run_decoded(decode(inputs)).
  [[nodiscard]] virtual bool decodes_ahead() const { return false; }
  // Decodes a batch. One thread may call it while another thread is in run_decoded(). `inputs` must live until
  // run_decoded() has returned.
  [[nodiscard]] virtual std::unique_ptr<Decoded> decode(std::span<const Input> /*inputs*/) { return nullptr; }
  [[nodiscard]] virtual std::vector<Output> run_decoded(std::unique_ptr<Decoded> /*decoded*/) { return {}; }

  // Answers every input, in order: outputs.size() == inputs.size() >= 1. An invalid image fails its own Output only.
  // The model catches all exceptions of libraries.
  [[nodiscard]] virtual std::vector<Output> run(std::span<const Input> inputs) = 0;
};

}  // namespace yolod::model
