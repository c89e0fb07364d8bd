// AccountsChild is everything that the front-end has of yolod-accounts: the process (app/process/accounts_slot) and the
// client at its socket (app/access/accounts_client). A server without accounts has none.
//
// The front-end owns it and uses it on its only thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string_view>

#include "app/access/accounts_client.hpp"
#include "app/accounts/protocol/settings.hpp"
#include "app/process/accounts_slot.hpp"
#include "app/process/child_table.hpp"
#include "app/process/spawn.hpp"
#include "app/serving/status.hpp"
#include "common/clock.hpp"
#include "common/config/config.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

class AccountsChild {
 public:
  static constexpr std::string_view kDatabaseFile = "accounts.db";  // in server.state_dir

  // REQUIRES: config.has_accounts(), and `spawn` has the path of yolod-accounts. Makes server.state_dir if it is to
  // have the database. Returns kSystem if the folder or the memory file for the settings cannot be made.
  [[nodiscard]] static common::Outcome<std::unique_ptr<AccountsChild>> make(boost::asio::io_context& io,
                                                                            const process::SpawnSettings& spawn,
                                                                            process::ChildTable& children,
                                                                            const common::Config& config,
                                                                            access::KnownKeys known);
  AccountsChild(const AccountsChild&) = delete;
  AccountsChild& operator=(const AccountsChild&) = delete;
  ~AccountsChild() = default;

  void start() { slot_.start(); }
  // Closes the socket, so that the process finishes its requests and ends. Requests that wait are answered now.
  void stop();
  void send_signal(int signal) const { slot_.send_signal(signal); }
  [[nodiscard]] bool is_alive() const { return slot_.is_alive(); }
  // Call it about every 100 ms.
  void tick(common::Clock::time_point now) { client_.tick(now); }

  [[nodiscard]] access::AccountsClient& client() { return client_; }
  [[nodiscard]] serving::AccountsStatus status() const;

 private:
  AccountsChild(boost::asio::io_context& io, const process::SpawnSettings& spawn, process::ChildTable& children,
                common::UniqueFd settings, common::SandboxMode sandbox, std::size_t most_requests,
                access::KnownKeys known);

  const common::SandboxMode sandbox_;
  process::AccountsSlot slot_;
  access::AccountsClient client_;
};

// Returns the settings that yolod-accounts gets.
[[nodiscard]] accounts::protocol::Settings accounts_settings(const common::Config& config);

}  // namespace yolod::app
