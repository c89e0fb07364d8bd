#include "app/accounts_child.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "app/process/settings_memfd.hpp"
#include "common/text.hpp"

namespace yolod::app {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// Only the last folder of the path is made. Its content is for the server's user alone.
Outcome<void> make_state_dir(const std::filesystem::path& folder) {
  constexpr mode_t kOwnerAlone = 0700;
  if (mkdir(folder.c_str(), kOwnerAlone) == 0 || errno == EEXIST) return {};
  return common::last_system_error("cannot make server.state_dir " + common::printable(folder.string()));
}

accounts::protocol::RegisterPolicy policy_of(common::RegisterPolicy policy) {
  switch (policy) {
    case common::RegisterPolicy::kClosed: break;
    case common::RegisterPolicy::kInvite: return accounts::protocol::RegisterPolicy::kInvite;
    case common::RegisterPolicy::kOpen: return accounts::protocol::RegisterPolicy::kOpen;
  }
  return accounts::protocol::RegisterPolicy::kClosed;
}

accounts::protocol::Seconds whole_seconds(common::milliseconds time) {
  return std::chrono::ceil<std::chrono::seconds>(time).count();
}

}  // namespace

accounts::protocol::Settings accounts_settings(const common::Config& config) {
  accounts::protocol::Settings settings;
  if (config.postgres.has_value()) {
    const auto& given = *config.postgres;
    auto& postgres = settings.postgres;
    postgres.host = given.host;
    postgres.port = static_cast<std::uint16_t>(given.port);
    postgres.database = given.database;
    postgres.user = given.user;
    postgres.password = accounts::protocol::Secret(given.password);
    postgres.password_file = given.password_file.string();
    postgres.minsize = static_cast<std::uint16_t>(given.minsize);
    postgres.maxsize = static_cast<std::uint16_t>(given.maxsize);
  } else {
    settings.sqlite_file = (config.server.state_dir / AccountsChild::kDatabaseFile).string();
  }
  settings.register_policy = policy_of(config.access.register_policy);
  settings.session_idle = whole_seconds(config.access.session_idle);
  settings.session_absolute = whole_seconds(config.access.session_lifetime);
  settings.sandbox = config.sandbox;
  settings.log_level = config.logging.level;
  return settings;
}

Outcome<std::unique_ptr<AccountsChild>> AccountsChild::make(boost::asio::io_context& io,
                                                            const process::SpawnSettings& spawn,
                                                            process::ChildTable& children, const common::Config& config,
                                                            access::KnownKeys known) {
  if (!config.postgres.has_value()) {
    if (auto made = make_state_dir(config.server.state_dir); !made) return made.error();
  }
  const auto encoded = accounts::protocol::encode(accounts_settings(config));
  if (encoded.empty()) {
    return Error{ErrorCode::kBadConfig, "a path in server.state_dir or postgres is longer than 1024 bytes"};
  }
  auto settings = process::make_settings_memfd(encoded.view());
  if (!settings) return settings.error();
  return std::unique_ptr<AccountsChild>(new AccountsChild(io, spawn, children, *std::move(settings), config.sandbox,
                                                          config.server.max_connections, std::move(known)));
}

AccountsChild::AccountsChild(boost::asio::io_context& io, const process::SpawnSettings& spawn,
                             process::ChildTable& children, common::UniqueFd settings, common::SandboxMode sandbox,
                             std::size_t most_requests, access::KnownKeys known)
    : sandbox_(sandbox),
      slot_(io, spawn, children, std::move(settings),
            {[this](common::UniqueFd socket) { client_.connected(std::move(socket)); },
             [this] { client_.disconnect(); }}),
      client_(io, most_requests, std::move(known),
              {[this] { slot_.is_ready(); }, [this](std::string_view why) { slot_.condemn(why); },
               [this] { slot_.is_leaving(); }}) {}

void AccountsChild::stop() {
  slot_.stop();
  client_.disconnect();
}

serving::AccountsStatus AccountsChild::status() const {
  serving::AccountsStatus status;
  status.pid = slot_.pid();
  status.restarts = slot_.restarts();
  const auto& hello = client_.hello();
  status.state = hello ? (client_.available() ? "ready" : "database_away") : (status.pid != 0 ? "starting" : "dead");
  if (hello) status.sandbox = {sandbox_, hello->landlock_abi, hello->seccomp, hello->missing};
  return status;
}

}  // namespace yolod::app
