// AuditLog writes the file access.audit_log. Each line is a JSON object that describes one event: an actor, an action
// and its result.
//
//   {"ts":"2026-01-02T03:04:05.678Z","event":"create_key","result":"done","actor":"session","name":"anna","person":3,
//    "address":"192.0.2.7","request_id":"5f0c...","subject":"ci","subject_id":12}
//
// The readers of this file investigate events of the past. The own log of the server is for its operators.
//
// No secret may reach this file. An event has no field for a password, a key or the token of a session, and `detail`
// is a text of the server, not of the client.
//
// The file is a regular file or a pipe. It is opened with O_APPEND and mode 0600, so that a rotation may move it. One
// event costs one write() of less than kMaxLineBytes. If the target takes no line, for example because the disk is
// full, the line is lost and counted. The server's log has one line about it. The next line that the target takes
// tells the number of lost lines.
//
// The front-end owns it and uses it on its only thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "app/access/caller.hpp"
#include "app/access/network.hpp"
#include "common/clock.hpp"
#include "common/log_writer.hpp"
#include "common/outcome.hpp"

namespace yolod::app::access {

// An AuditEvent is one event. Its texts are views that must be valid until the event is written. The line has no field
// for an empty text or a 0.
struct AuditEvent {
  enum class Kind : std::uint8_t {
    kLogIn,           // subject: the name that the client sent, or "?"
    kLogOut,          //
    kRegister,        // subject: the new person
    kChangePassword,  // of the actor
    kDeleteAccount,   // of the actor
    kResetPassword,   // subject: the person
    kAddPerson,       // subject: the person
    kRemovePerson,    // subject: the person
    kDisablePerson,   // subject: the person
    kEnablePerson,    // subject: the person
    kCreateKey,       // subject, subject_id: the key
    kRevokeKey,       // subject, subject_id: the key
    kCreateInvite,    //
    kCredential,      // a request was refused because of its key or session; detail: the reason
    kLimit,           // a request was refused by a limit; subject: the limit, such as per_key.requests_per_second
    kReload,          // detail: the reason of a failure
    kLoadModel,       // subject: the model; detail: the reason of a failure
    kUnloadModel,     // subject: the model
    kStart,           // of the server
    kStop,
  };
  enum class Result : std::uint8_t {
    kDone,
    kRefused,  // the server did not allow it
    kFailed,   // it was allowed, and did not succeed
  };

  Kind kind{Kind::kStart};
  Result result{Result::kDone};

  // The actor. by() fills in these fields. Without an actor the server itself did it.
  std::optional<Caller::Kind> actor{};
  std::string_view name{};
  accounts::protocol::PersonId person{0};
  accounts::protocol::KeyId key{0};
  std::optional<Network> address{};
  std::string_view request_id{};

  // The person, key, model or limit that the action changed or met, and the reason of a refusal or failure.
  std::string_view subject{};
  std::int64_t subject_id{0};
  std::string_view detail{};

  // Sets the actor. The caller's name must stay valid until the event is written.
  AuditEvent& by(const Caller& caller) {
    actor = caller.kind;
    name = caller.name;
    person = caller.person;
    key = caller.key;
    address = caller.network;
    return *this;
  }
};

class AuditLog {
 public:
  // Longer texts of an event are shortened, so that each line is shorter than this.
  static constexpr std::size_t kMaxLineBytes = 3072;
  // write_refusal() writes at most one line at once for each kind of event, each site (Network::site()) and each actor
  // in this time, and one more line at its end, which counts the others.
  static constexpr std::chrono::seconds kRefusalPeriod{60};
  // Refusals beyond these numbers in the same period are counted together. Clients without a credential have
  // kMostStrangers such lines, and at most kMostOfOne of them have addresses of one Network::block(). People and keys
  // have kMostKnown lines, and each of them at most kMostOfOne. So one client cannot use up the lines of the others.
  static constexpr std::size_t kMostStrangers = 256;
  static constexpr std::size_t kMostKnown = 128;
  static constexpr std::uint32_t kMostOfOne = 16;
  static constexpr std::size_t kMostRefusers = kMostStrangers + kMostKnown;
  // tick() writes at most this many lines.
  static constexpr int kLinesAtOnce = 16;

  AuditLog() = default;
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  ~AuditLog() = default;

  // Opens the file, also if it is already open under that name, because a rotation may have moved it. An empty path
  // closes the file, and no event is written then. If the Error is kSystem, the file before stays open.
  [[nodiscard]] common::Outcome<void> use(const std::filesystem::path& file);
  [[nodiscard]] bool is_open() const { return writer_.has_value(); }

  void write(const AuditEvent& event);
  // Writes an event that any client can cause. However often clients do so, the file grows by a bounded number of lines
  // in each period. `now` is on AwakeClock.
  void write_refusal(const AuditEvent& event, common::Clock::time_point now);
  // Writes the lines that are due. Call it about every 100 ms.
  void tick(common::Clock::time_point now);

  // Returns how many events were lost because the file did not take them.
  [[nodiscard]] std::uint64_t lost_count() const { return lost_count_; }

 private:
  // Refusals with the same Refuser share a line.
  struct Refuser {
    AuditEvent::Kind kind;
    Network site;
    accounts::protocol::PersonId person;
    accounts::protocol::KeyId key;
    friend bool operator==(const Refuser&, const Refuser&) = default;
  };
  struct RefuserHash {
    std::size_t operator()(const Refuser& refuser) const;
  };
  struct Summary {
    std::optional<Refuser> refuser;  // nothing: further refusers
    std::uint64_t count;
  };

  // Returns whether one more line of this period may be of that refuser, and counts it then.
  [[nodiscard]] bool take_line(const Refuser& refuser);
  void put(const std::string& line);
  void end_period();

  std::filesystem::path file_;
  std::optional<common::LogWriter> writer_;
  std::uint64_t lost_count_{0};
  bool loss_is_said_{false};
  common::Clock::time_point period_began_{};
  std::unordered_map<Refuser, std::uint64_t, RefuserHash> refusers_;  // of this period: refusals without a line
  // The lines of this period of each block without a credential, and of each person or key. A Refuser with only these
  // members is the key.
  std::unordered_map<Refuser, std::uint32_t, RefuserHash> lines_of_;
  std::size_t stranger_lines_{0};
  std::size_t known_lines_{0};
  std::uint64_t further_count_{0};  // refusals without a line in this period
  std::vector<Summary> summaries_;  // of earlier periods, not written yet
};

}  // namespace yolod::app::access
