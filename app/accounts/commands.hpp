// Commands carries out each request: it looks things up, hashes, changes the database, tells the feed, and answers.
// Its functions are coroutines of the event loop; blocking work runs on the threads of HashingThread and StorePool.
//
// The class has a function for each kind of request.
//
// The event loop owns it. It outlives every coroutine that it has made.
#pragma once

#include <optional>
#include <string>

#include "app/accounts/account_store.hpp"
#include "app/accounts/failed_logins.hpp"
#include "app/accounts/feed.hpp"
#include "app/accounts/hashing_thread.hpp"
#include "app/accounts/protocol/settings.hpp"
#include "app/accounts/store_pool.hpp"
#include "app/accounts/task.hpp"
#include "common/clock.hpp"

namespace yolod::app::accounts {

class Commands {
 public:
  struct Parts {
    const protocol::Settings& settings;
    HashingThread& hashing;
    StorePool& stores;
    FailedLogins& attempts;
    Feed& feed;
  };
  using Reply = protocol::Reply;
  using Deadline = common::Clock::time_point;

  explicit Commands(const Parts& parts) : parts_(parts) {}

  // Returns the answer without its id. A request whose deadline has passed gets no hash. `command` must live until
  // the answer.
  [[nodiscard]] Task<Reply> run(protocol::Command& command, Deadline deadline);

 private:
  // ---- login_commands.cpp ----
  Task<Reply> handle(protocol::Register& request, Deadline deadline);
  Task<Reply> handle(protocol::LogIn& request, Deadline deadline);
  Task<Reply> handle(protocol::LogOut& request, Deadline deadline);
  Task<Reply> handle(protocol::ChangePassword& request, Deadline deadline);
  Task<Reply> handle(protocol::DeleteAccount& request, Deadline deadline);
  // ---- people_commands.cpp ----
  Task<Reply> handle(protocol::ResetPassword& request, Deadline deadline);
  Task<Reply> handle(protocol::ListPeople& request, Deadline deadline);
  Task<Reply> handle(protocol::AddPerson& request, Deadline deadline);
  Task<Reply> handle(protocol::RemovePerson& request, Deadline deadline);
  Task<Reply> handle(protocol::SetDisabled& request, Deadline deadline);
  Task<Reply> handle(protocol::CreateInvite& request, Deadline deadline);
  // ---- key_commands.cpp ----
  Task<Reply> handle(protocol::CreateKey& request, Deadline deadline);
  Task<Reply> handle(protocol::ListKeys& request, Deadline deadline);
  Task<Reply> handle(protocol::RevokeKey& request, Deadline deadline);
  Task<Reply> handle(protocol::Touch& request, Deadline deadline);
  Task<Reply> handle(protocol::ReadAgain& request, Deadline deadline);

  // An attempt of a client to prove its identity with a password.
  struct Attempt {
    std::optional<Person> person;
    std::string name;  // the key of the counters
    std::string_view origin;
    const protocol::Secret& password;
    const protocol::Secret* new_password{nullptr};  // also gets a hash
    FailedLogins::Attempt counted{};                // set by begin()
    std::optional<HashingThread::Place> place{};    // taken by begin()
    WorkRank rank{WorkRank::kNormal};               // of its queries
    std::string new_hash{};  // the hash of new_password; without new_password, a stronger hash of the password if its
                             // present hash is weak
  };
  // Counts the attempt by its name and origin, and takes a place for it; neither needs a query. Returns an answer if
  // the client must wait first.
  [[nodiscard]] std::optional<Reply> begin(Attempt& attempt);
  // Compares the password. The comparison takes as long if there is no such person. Returns kOk if the password is
  // correct. REQUIRES: begin() allowed the attempt.
  Task<Reply> check_password(Attempt& attempt, Deadline deadline);
  // Stores the hash of `password` in `hash`.
  Task<Status> hash(const protocol::Secret& password, std::string& hash, const HashingThread::Place& place,
                    Deadline deadline);

  // The rights of an actor.
  struct Rights {
    Status status{Status::kNotAllowed};  // kUnavailable or kBusy: it could not be found out
    bool admin{false};
    std::optional<Person> person;  // who asks, if it is one
  };
  // Admins are first in the queue for the database, as they are for hashes.
  [[nodiscard]] static WorkRank rank_of(const protocol::Actor& actor);
  Task<Rights> rights_of(protocol::Actor actor);
  // Returns kOk if the actor is an admin.
  Task<Status> require_admin(protocol::Actor actor);
  Task<Status> find(const std::string& name, std::optional<Person>& person, WorkRank rank);

  // Runs `asks` with a connection to the database and returns its status.
  template <typename Ask>
  Task<Status> ask(Ask& asks, WorkRank rank = WorkRank::kNormal) {
    Status status = Status::kUnavailable;
    auto call = [&status, &asks](AccountStore& store) { status = asks(store); };
    const WorkEnd end = co_await parts_.stores.run(call, rank);
    switch (end) {
      case WorkEnd::kDone: co_return status;
      case WorkEnd::kBusy: co_return Status::kBusy;
      case WorkEnd::kUnavailable: break;
    }
    co_return Status::kUnavailable;
  }

  Parts parts_;
};

// Makes a reply without a result.
[[nodiscard]] protocol::Reply plain_reply(Status status, std::string reason = {});
// Makes the reply to an actor without the right to do that.
[[nodiscard]] protocol::Reply no_right(const protocol::Actor& actor);
// Makes a reply that tells the client to wait, for at least a second.
[[nodiscard]] protocol::Reply retry_reply(Status status, common::Clock::duration wait);
// Returns a name for the log, such as "person 3", "the operator" or "key 4".
[[nodiscard]] std::string describe(const protocol::Actor& actor);

}  // namespace yolod::app::accounts
