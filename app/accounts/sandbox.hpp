// Takes from yolod-accounts what it does not need, after it has read its settings and before it has a second thread:
// no_new_privs, no core dump, no ptrace by a neighbour; Landlock: the files of SQLite, or what names of hosts are
// looked up in and one TCP port; seccomp: what a database's client calls. A call that is not in the list fails with
// EPERM; one that nobody but an intruder makes (another program, ptrace, a namespace) ends the process.
#pragma once

#include <filesystem>
#include <vector>

#include "app/accounts/protocol/settings.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/outcome.hpp"

namespace yolod::app::accounts {

// Keeps memory out of core dumps and away from other processes. Nothing that it does can fail in a way that matters.
void hide_memory();

// What is in force then. kSystem only where the mode is `required` and a part cannot be had. `files`: the database's.
[[nodiscard]] common::Outcome<common::SandboxState> seal(const protocol::Settings& settings,
                                                         const std::vector<std::filesystem::path>& files);

}  // namespace yolod::app::accounts
