// The front-end passes these settings to yolod-accounts in a sealed memory file, because ps shows argument lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/accounts/protocol/messages.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/log_settings.hpp"

namespace yolod::app::accounts::protocol {

// After exec yolod-accounts has only these descriptors and 0, 1 and 2 open. A worker has its control channel and
// settings at the same numbers (ipc/layout.hpp).
inline constexpr int kSocketDescriptor = 3;
inline constexpr int kSettingsDescriptor = 7;

// The exit codes of yolod-accounts. Every other code is an unexpected exit.
inline constexpr int kExitStopped = 0;       // the front-end has closed its end
inline constexpr int kExitBadDatabase = 91;  // the log says why; another start may succeed
inline constexpr int kExitBadStart = 92;     // a person or a front-end of another version started it

enum class RegisterPolicy : std::uint8_t { kClosed = 0, kInvite = 1, kOpen = 2 };

struct PostgresSettings {
  std::string host;  // a name, an address, or the folder of a unix socket
  std::uint16_t port{5432};
  std::string database;
  std::string user;
  Secret password;
  std::string password_file;  // read at start, in place of `password`; a line feed at its end is not part of it
  std::uint16_t minsize{1};   // connections that are kept
  std::uint16_t maxsize{5};
};

struct Settings {
  std::string sqlite_file;  // empty: PostgreSQL
  PostgresSettings postgres;
  RegisterPolicy register_policy{RegisterPolicy::kClosed};
  Seconds session_idle{30 * 60};
  Seconds session_absolute{12 * 3600};
  common::SandboxMode sandbox{common::SandboxMode::kAuto};
  common::LogLevel log_level{common::LogLevel::kInfo};
};

inline constexpr std::size_t kMaxSettingBytes = 1024;  // of each text
inline constexpr std::uint16_t kMostConnections = 100;

// encode() returns an empty Secret if a text is too long. decode_settings() refuses settings of another version and
// values that are not allowed.
[[nodiscard]] Secret encode(const Settings& settings);
[[nodiscard]] std::optional<Settings> decode_settings(std::string_view bytes);

}  // namespace yolod::app::accounts::protocol
