// An AccountExchange is the exchange of a request about accounts: it reads a small JSON body, asks yolod-accounts, and
// writes the answer. An Action is everything that differs between the routes.
//
// The body never lies in the arena, which every worker can read. The exchange has a small private
// buffer for it, and overwrites the buffer when the fields are read.
//
// A connection owns the exchange and uses it on the front-end's only thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/access/accounts_client.hpp"
#include "app/access/audit_log.hpp"
#include "app/access/caller.hpp"
#include "app/accounts/protocol/messages.hpp"
#include "app/api/account/account_error.hpp"
#include "app/api/account/audited_change.hpp"
#include "app/api/account/fields.hpp"
#include "app/http/exchange.hpp"
#include "app/observe/metrics.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::account {

// The accounts of the server, as the exchanges use them. Both functions are empty if the server has no accounts.
struct Accounts {
  // Returns whether yolod-accounts and its database are there.
  std::function<bool()> available{};
  // Calls `done` once, later and not from within the call.
  std::function<void(accounts::protocol::Command command, access::AccountsClient::Done done)> ask{};
};

// The facts about a request that an action needs.
struct Asker {
  access::Caller caller;  // its name is a view of `name`
  std::string name;
  std::optional<accounts::protocol::Actor> actor;
  std::string origin;                  // the client's site: an IPv4 address, a /48, or "unix"
  bool https{false};                   // whether the browser uses HTTPS
  std::string in_path;                 // the text that the braces of the route match
  accounts::protocol::KeyId after{0};  // ?after=ID: the list begins behind that person or key
  bool all{false};                     // ?all=1: the keys of all people
};

struct Action {
  enum class Kind : std::uint8_t {
    kRead,    // changes nothing, and has no body
    kList,    // like kRead, with the parameters of a list
    kChange,  // may come only from a page of this server, or from a program
  };
  std::string_view method;  // GET includes HEAD
  Kind kind{Kind::kRead};
  bool for_people{false};  // only a person with a session may use it
  PasswordFor password{PasswordFor::kChange};
  // Makes the command. Null: the answer needs no command, and gets an empty reply.
  common::Outcome<accounts::protocol::Command> (*ask)(const Asker& asker, Fields& fields){nullptr};
  // Writes the answer to a reply with kOk. It may move secrets out of the reply.
  void (*answer)(const Asker& asker, accounts::protocol::Reply& reply, http::Response& response){nullptr};
};

// WipedBytes overwrites its memory before it frees it.
class WipedBytes {
 public:
  WipedBytes() = default;
  explicit WipedBytes(std::size_t size) : bytes_(new std::byte[size]), size_(size) {}
  WipedBytes(WipedBytes&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  WipedBytes& operator=(WipedBytes&& other) noexcept;
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;
  ~WipedBytes() { wipe(); }
  [[nodiscard]] std::span<std::byte> span() const { return {bytes_.get(), size_}; }

 private:
  void wipe();

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_{0};
};

class AccountExchange final : public http::Exchange {
 public:
  // A longer body is refused. It takes two passwords whose characters are all escaped.
  static constexpr std::uint64_t kLimitBytes = 8 * 1024;

  // The arguments outlive this object. `actions` has one action for each method of the route.
  AccountExchange(observe::Metrics& metrics, const Accounts& accounts, access::AuditLog& audit,
                  std::span<const Action> actions)
      : metrics_(metrics), accounts_(accounts), audit_(audit), actions_(actions) {}

  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;
  [[nodiscard]] Next proceed(http::Response& response) override;
  void wait(Resume done) override;
  // The change is made also for a client that has left.
  [[nodiscard]] bool minds_client() const override { return false; }
  [[nodiscard]] BodyRule body_rule() const override { return {kLimitBytes, kLimitBytes, true}; }
  [[nodiscard]] bool try_room(std::uint64_t bytes) override;
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                         std::uint64_t kept_bytes) override;
  [[nodiscard]] std::span<std::byte> room() const override { return body_.span(); }
  void drop_room() override { body_ = {}; }
  [[nodiscard]] Next body_came(std::uint64_t bytes, http::Response& response) override;
  void client_is_gone() override {}
  void refuse(const common::Error& error, http::Response& response) override;
  void answered(int http_status) override { metrics_.answered_without_model(http_status); }

 private:
  // Returns the reason why the request is refused before its body is read.
  [[nodiscard]] common::Outcome<void> look_at_head(const http::RequestView& request);
  [[nodiscard]] common::Outcome<void> read_query(const http::RequestTarget& target);
  // Makes the command. Returns kWait, or answers.
  [[nodiscard]] Next act(Fields fields, http::Response& response);
  [[nodiscard]] Next fail(const common::Error& error, http::Response& response);
  // Writes what the command has done into the audit log.
  void tell_audit_log();

  observe::Metrics& metrics_;
  const Accounts& accounts_;
  access::AuditLog& audit_;
  const std::span<const Action> actions_;
  const Action* action_{nullptr};  // set by begin()
  Asker asker_;
  WipedBytes body_;
  std::optional<accounts::protocol::Command> command_;
  AuditedChange audited_;
  std::string request_id_;
  accounts::protocol::Reply reply_;
};

// Adds the header fields that every answer about accounts has: no cache keeps it.
void add_private_fields(http::Response& response);

}  // namespace yolod::app::api::account
