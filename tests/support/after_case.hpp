// Checks that must hold after every fault case: nothing is leaked or left behind, the log reports each death once,
// and the server serves the next request.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/support/server.hpp"

namespace yolod::tests {

// The state of a server whose workers are all ready, before a test does anything to it.
struct Baseline {
  std::size_t descriptors{0};
  std::size_t regions{0};    // mappings of the server's memfds in the front-end
  std::size_t processes{0};  // descendants of the front-end: loaders, workers, and their children
  std::set<std::string> shared_memory_names;
};
[[nodiscard]] Baseline baseline(const Server& server);

// Returns the lines of a log that report a broken invariant: a sanitizer's report, an assertion or an uncaught
// exception.
[[nodiscard]] std::vector<std::string> complaints_in(const std::string& log);

// Returns the server's names in /dev/shm: names that its processes have open or mapped, and, also when all are gone,
// names that contain "yolo". Other names come and go independently. yolod shares memory in memfds, which have no
// name, so `regions` counts these separately.
[[nodiscard]] std::set<std::string> shared_memory_of(const Server& server);

// Fails the test for each check that does not hold. `deaths` are the workers that died since the baseline. The test
// itself must have closed its connections.
void check_after_case(Server& server, const Baseline& before, const std::vector<pid_t>& deaths = {});

// Call this after the front-end has ended. Checks that no process of the server is left and that its port can be
// bound at once. `grace` is the time that its workers may take to follow it: none after a clean stop, which ends when
// the last worker is reaped.
void check_after_exit(Server& server, const Baseline& before, milliseconds grace = milliseconds{0});

// Binds the port as a newly started server does. Clients may not have closed their ends of the old connections yet.
[[nodiscard]] bool can_listen_on(std::uint16_t port);

// Posts a new body to each identity model in `models` (if empty, to the default model). Returns whether all answered.
[[nodiscard]] bool serves_next_request(const Server& server, const std::vector<std::string>& models = {});

}  // namespace yolod::tests
