// The kinds of child processes that the front-end starts. One table says of each kind which program it is, what it
// inherits, what limits it, and what its death means. spawn() reads that table and knows no kind by itself, so that a
// new kind is a new row.
//
// Constants and plain values: any thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "app/process/death.hpp"

namespace yolod::app::process {

// The descriptors that a child may inherit, as numbers in this process, which keeps them.
struct InheritedDescriptors {
  int output{-1};  // for 1 and 2; without it the process has those of this one
  int control{-1};
  int lane{-1};
  int arena{-1};
  int doorbell{-1};
  int config{-1};
};

enum class ChildKind {
  kWorker,            // loads by itself. When it dies its requests are replayed, and its slot starts the next worker
  kLoader,            // workers are forked from it. When it dies they serve on, and its slot starts the next loader
  kBackgroundLoader,  // a loader that gives way to workers that serve
};

// One descriptor that a child inherits, and its number there.
struct DescriptorPlace {
  int InheritedDescriptors::*from;
  int to;
};

struct ChildLimits {
  bool given_open_files{true};  // RLIMIT_NOFILE as it was before the front-end raised its own; else as it is raised
  bool core_dumps{true};        // else none: for a process that holds secrets
};

struct ChildSpec {
  static constexpr std::size_t kMostDescriptors = 8;

  ChildKind kind;
  std::string_view program;  // its file's name
  std::span<const std::string_view> arguments;
  // It finds these open, beside 0, 1 and 2, and no others. Each must be given to spawn(), and `to` is above 2.
  std::span<const DescriptorPlace> descriptors;
  ChildLimits limits;
  std::span<const int> blocked_signals;  // its whole mask
  // Names of our environment's variables that it gets. A name that ends in '_' stands for all that begin so.
  std::span<const std::string_view> variables;
  // Its libraries compute: it also gets the variables by which they start no threads of their own and wait as told.
  bool computes;
  // Whose doing its death was. `was_ready`: it had served, or could have.
  DeathCause (*classify)(const Death& death, bool was_ready);
};

[[nodiscard]] const ChildSpec& spec_of(ChildKind kind);

}  // namespace yolod::app::process
