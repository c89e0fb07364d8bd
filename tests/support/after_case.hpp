// What must hold after every fault case, whatever it was: nothing leaked, nothing left behind, each death told once,
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

// Of a server whose workers are all ready, before anything is done to it.
struct Baseline {
  std::size_t descriptors{0};
  std::size_t regions{0};    // mappings of our memfds in the front-end
  std::size_t processes{0};  // its descendants: the loaders and the workers, and whatever they have started
  std::set<std::string> shared_memory_names;
};
[[nodiscard]] Baseline baseline(const Server& server);

// Lines of a log that tell of a broken invariant: a sanitizer's report, an assertion, an exception that nobody caught.
[[nodiscard]] std::vector<std::string> complaints_in(const std::string& log);

// Names in /dev/shm that are the server's: those that a process of it has open or mapped, and, also when all are gone,
// those that say so. Others come and go as their owners like. What yolod shares are memfds, which have no name: mapped
// regions are counted by themselves.
[[nodiscard]] std::set<std::string> shared_memory_of(const Server& server);

// Fails the test for each thing that does not hold. `deaths` are the workers that died since the baseline; the test
// itself must have closed its connections.
void check_after_case(Server& server, const Baseline& before, const std::vector<pid_t>& deaths = {});

// After the front-end has ended: no process of it is left and its port can be bound at once. `grace` is what its
// workers may take to follow it: nothing after a clean stop, which ends with the last of them reaped.
void check_after_exit(Server& server, const Baseline& before, milliseconds grace = milliseconds{0});

// As a server binds it that is started at once: others may not have closed their ends of its connections yet.
[[nodiscard]] bool can_listen_on(std::uint16_t port);

// Posts one body of its own to each identity model in `models` (the default model where empty): whether all answered.
[[nodiscard]] bool serves_next_request(const Server& server, const std::vector<std::string>& models = {});

}  // namespace yolod::tests
