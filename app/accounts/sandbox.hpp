// The sandbox of yolod-accounts. The process seals itself after it has read its settings, while it has a single
// thread. Landlock allows the files of SQLite, or for PostgreSQL the files of the resolver and the server's TCP port.
// A seccomp filter allows the calls that the database's client needs. Every other call fails with EPERM. Calls that
// only an intruder makes (another program, ptrace, a namespace) end the process.
#pragma once

#include <filesystem>
#include <vector>

#include "app/accounts/protocol/settings.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/outcome.hpp"

namespace yolod::app::accounts {

// Keeps the memory of this process out of core dumps and away from other processes.
void hide_memory();

// Returns which parts are in force. Fails with kSystem only if the mode is `required` and the kernel lacks a part.
// `files` are the files of the database.
[[nodiscard]] common::Outcome<common::SandboxState> seal(const protocol::Settings& settings,
                                                         const std::vector<std::filesystem::path>& files);

}  // namespace yolod::app::accounts
