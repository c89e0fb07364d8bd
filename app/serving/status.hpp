// The data that /status and /readyz show. Plain values: any thread may use them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/process/worker_status.hpp"
#include "common/domain/sandbox_state.hpp"

namespace yolod::app::serving {

struct ModelStatus {
  std::string name;
  std::uint64_t generation{0};
  bool ready{false};
  bool reloading{false};
  std::size_t queued{0};
  std::uint32_t queue_limit{0};
  std::size_t batch_size{0};  // size of the largest batch that is formed now
  std::chrono::duration<double, std::milli> batch_wait{0};
  std::uint32_t workers_ready{0};
  std::uint32_t workers_wanted{0};  // of the serving generation
  std::optional<process::LoaderStatus> loader;
  std::vector<process::WorkerStatus> workers;  // of every generation
};

// A model of the config that is not served because an admin has unloaded it.
struct UnloadedModel {
  enum class State { kUnloading, kUnloaded, kLoading, kFailed };
  std::string name;
  std::uint64_t generation{0};  // the last one that served
  State state{State::kUnloaded};

  friend bool operator==(const UnloadedModel&, const UnloadedModel&) = default;
};

struct AccountsStatus {
  // "starting", "ready", "database_away" (yolod-accounts runs, but its database does not answer), or "dead".
  std::string state;
  pid_t pid{0};  // 0: there is no process now
  std::uint32_t restarts{0};
  std::optional<common::SandboxState> sandbox;  // empty until the process has reported it
};

struct ServerStatus {
  std::chrono::seconds uptime{0};
  bool draining{false};
  std::vector<std::string> listen;
  std::string admin_listen;  // empty: there is no admin listener
  std::vector<ModelStatus> models;
  std::vector<UnloadedModel> unloaded{};
  std::optional<AccountsStatus> accounts{};  // empty: the server has no accounts
};

}  // namespace yolod::app::serving
