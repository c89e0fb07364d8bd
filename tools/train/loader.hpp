// Batches, made ahead of the steps that learn from them by threads of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/outcome.hpp"
#include "tools/train/augment.hpp"
#include "tools/train/sample.hpp"
#include "tools/train/sample_source.hpp"
#include "tools/train/schedule.hpp"

namespace yolod::train {

struct LoaderSettings {
  std::uint64_t seed{1};
  std::size_t batch{16};
  std::size_t threads{1};
  AugmentSettings augment;
};

// Used by one thread.
class Loader {
 public:
  // `source` must outlive it.
  Loader(const LoaderSettings& settings, SampleSource& source);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  // Waits for what its threads are at, and drops the rest.
  ~Loader();

  // Begins the batch of a step.
  void request(std::uint64_t step, Stage stage);
  [[nodiscard]] std::size_t requested() const;
  // The batch that was requested first of those not taken; there must be one. Waits until it is whole. kInternal where
  // a picture could not be had, and why.
  [[nodiscard]] common::Outcome<Batch> take();

 private:
  struct Pending;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yolod::train
