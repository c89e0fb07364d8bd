// AccountsProcess runs yolod-accounts for a test and plays the front-end: it keeps the answers by id, the table of
// keys and sessions, and whether the database is there.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/accounts/protocol/access_table.hpp"
#include "app/accounts/protocol/settings.hpp"
#include "common/unique_fd.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

class AccountsProcess {
 public:
  // `with`: NAME=value, added to its environment.
  explicit AccountsProcess(const app::accounts::protocol::Settings& settings,
                           const std::vector<std::string>& with = {});
  AccountsProcess(const AccountsProcess&) = delete;
  AccountsProcess& operator=(const AccountsProcess&) = delete;
  // Kills and reaps it if it still runs.
  ~AccountsProcess();

  // Sends a request; returns its id.
  std::uint64_t send(app::accounts::protocol::Command command, milliseconds deadline = 30'000ms);
  // The answer to it. Nothing: the process is gone, or it did not come by the deadline.
  [[nodiscard]] std::optional<app::accounts::protocol::Reply> wait_for(std::uint64_t id,
                                                                       milliseconds deadline = kGenerous);
  // Sends a request and waits for its answer. Throws if no answer comes.
  app::accounts::protocol::Reply ask(app::accounts::protocol::Command command, milliseconds deadline = 30'000ms);
  // Takes messages until it holds; false at the deadline, or when the process is gone.
  template <typename Holds>
  [[nodiscard]] bool take_until(Holds&& holds, milliseconds deadline = kGenerous) {
    const auto end = Clock::now() + scaled(deadline);
    while (!holds()) {
      if (!take_one(end)) return holds();
    }
    return true;
  }
  // Until the database is there and the first snapshot has come.
  [[nodiscard]] bool wait_until_ready(milliseconds deadline = kGenerous) {
    return take_until([this] { return available() && table_.version() != 0; }, deadline);
  }
  // Sends bytes that need not be a request.
  void send_bytes(std::string_view bytes) const;

  [[nodiscard]] bool available() const { return available_; }
  [[nodiscard]] const app::accounts::protocol::AccessTable& table() const { return table_; }
  [[nodiscard]] const std::optional<app::accounts::protocol::Hello>& hello() const { return hello_; }
  // Returns true if a message did not decode or did not follow from the message before.
  [[nodiscard]] bool broke_protocol() const { return broke_protocol_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string log() const { return read_file(log_); }

  // Closes the front-end's end of the socket.
  void hang_up() { socket_.reset(); }
  [[nodiscard]] std::optional<Exit> wait_for_exit(milliseconds deadline = kGenerous);

 private:
  bool take_one(Clock::time_point end);

  TemporaryDirectory directory_;
  std::filesystem::path log_;
  common::UniqueFd socket_;
  pid_t pid_{-1};
  std::optional<Exit> exit_;
  std::uint64_t last_id_{0};
  std::map<std::uint64_t, app::accounts::protocol::Reply> replies_;
  app::accounts::protocol::AccessTable table_;
  std::optional<app::accounts::protocol::Hello> hello_;
  bool available_{false};
  bool broke_protocol_{false};
};

}  // namespace yolod::tests
