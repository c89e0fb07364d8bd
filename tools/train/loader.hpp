// Loader makes batches in its own threads, ahead of the steps that learn from them.
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

// Only one thread may use a loader.
class Loader {
 public:
  // `source` must outlive it.
  Loader(const LoaderSettings& settings, SampleSource& source);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  // Waits for the pictures that its threads are making, and drops the other requests.
  ~Loader();

  // Starts to make the batch of a step.
  void request(std::uint64_t step, Stage stage);
  [[nodiscard]] std::size_t requested() const;
  // Waits for the batch that was requested first and returns it. REQUIRES: requested() > 0. Returns kInternal with
  // the reason if a picture cannot be loaded.
  [[nodiscard]] common::Outcome<Batch> take();

 private:
  struct Pending;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yolod::train
