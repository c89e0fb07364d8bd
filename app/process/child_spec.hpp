// The kinds of child processes that the front-end starts. One table has a row for each kind. The row names the
// program, the file descriptors that the child inherits, its limits, and the function that classifies its death.
// spawn() has no code for a single kind, so a new kind needs only a new row.
//
// All types here are constants and plain values: any thread may use them.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "app/process/death.hpp"

namespace yolod::app::process {

// The numbers, in the front-end, of the file descriptors that a child may inherit. The front-end keeps them open.
struct InheritedDescriptors {
  // The child's descriptors 1 and 2. If it is -1, the child writes to the front-end's standard error.
  int output{-1};
  int control{-1};
  int lane{-1};
  int arena{-1};
  int doorbell{-1};
  int config{-1};
};

enum class ChildKind {
  // The worker loads the model itself. After its death its requests are replayed, and its slot starts the next
  // worker.
  kWorker,
  // Workers are forked from the loader. After its death they continue to serve, and its slot starts the next loader.
  kLoader,
  // A loader that loads its model at low priority, so that serving workers get the CPU first.
  kBackgroundLoader,
  // This process has the database of people, sessions and API keys. After its death its slot starts the next
  // process. Nothing that serves predictions depends on it.
  kAccounts,
};

// Says which file descriptor a child inherits, and which number it has in the child.
struct DescriptorPlace {
  int InheritedDescriptors::*from;
  int to;
};

struct ChildLimits {
  // true: RLIMIT_NOFILE has the value from before the front-end raised its own. false: it has the raised value.
  bool given_open_files{true};
  // false: the child writes no core dump. Use false for a process that holds secrets.
  bool core_dumps{true};
};

struct ChildSpec {
  static constexpr std::size_t kMostDescriptors = 8;

  ChildKind kind;
  std::string_view program;  // file name of the program
  std::span<const std::string_view> arguments;
  // The child finds these descriptors open, and 0, 1 and 2, and no others. The caller of spawn() must supply each of
  // them. Each `to` is above 2.
  std::span<const DescriptorPlace> descriptors;
  ChildLimits limits;
  std::span<const int> blocked_signals;  // the child blocks these signals and no others
  // The child gets the environment variables of the front-end with these names. A name that ends in '_' is a prefix.
  std::span<const std::string_view> variables;
  // The child's libraries compute. Then the child also gets variables that stop these libraries from starting more
  // threads, and that set how their threads wait.
  bool computes;
  // Returns the cause of a death. `was_ready`: the worker has served, or the loader has loaded its model.
  DeathCause (*classify)(const Death& death, bool was_ready);
};

[[nodiscard]] const ChildSpec& spec_of(ChildKind kind);

}  // namespace yolod::app::process
