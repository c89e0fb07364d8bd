#include "app/access/audit_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <iterator>
#include <utility>

#include "common/log.hpp"
#include "common/text.hpp"
#include "common/unique_fd.hpp"
#include "common/utc_time.hpp"

namespace yolod::app::access {
namespace {

using common::Outcome;

// The most bytes of each text in a line. An escaped byte takes at most six bytes.
constexpr std::size_t kMostAuditNameBytes = 64;
constexpr std::size_t kMostAuditIdBytes = 128;
constexpr std::size_t kMostDetailBytes = 256;
constexpr std::size_t kMostOtherBytes = 512;
static_assert(6 * (kMostAuditNameBytes + kMostAuditNameBytes + kMostDetailBytes) + kMostAuditIdBytes +
                  kMostOtherBytes <=
              AuditLog::kMaxLineBytes);

std::string_view word_of(AuditEvent::Kind kind) {
  using Kind = AuditEvent::Kind;
  switch (kind) {
    case Kind::kLogIn: return "log_in";
    case Kind::kLogOut: return "log_out";
    case Kind::kRegister: return "register";
    case Kind::kChangePassword: return "change_password";
    case Kind::kDeleteAccount: return "delete_account";
    case Kind::kResetPassword: return "reset_password";
    case Kind::kAddPerson: return "add_person";
    case Kind::kRemovePerson: return "remove_person";
    case Kind::kDisablePerson: return "disable_person";
    case Kind::kEnablePerson: return "enable_person";
    case Kind::kCreateKey: return "create_key";
    case Kind::kRevokeKey: return "revoke_key";
    case Kind::kCreateInvite: return "create_invite";
    case Kind::kCredential: return "credential";
    case Kind::kLimit: return "limit";
    case Kind::kReload: return "reload";
    case Kind::kLoadModel: return "load_model";
    case Kind::kUnloadModel: return "unload_model";
    case Kind::kStart: return "start";
    case Kind::kStop: return "stop";
  }
  return "unknown";
}

std::string_view word_of(AuditEvent::Result result) {
  switch (result) {
    case AuditEvent::Result::kDone: return "done";
    case AuditEvent::Result::kRefused: return "refused";
    case AuditEvent::Result::kFailed: return "failed";
  }
  return "unknown";
}

std::string_view word_of(const std::optional<Caller::Kind>& actor) {
  if (!actor) return "server";
  switch (*actor) {
    case Caller::Kind::kAnonymous: return "anonymous";
    case Caller::Kind::kOperator: return "operator";
    case Caller::Kind::kFileKey: return "file_key";
    case Caller::Kind::kKey: return "key";
    case Caller::Kind::kSession: return "session";
  }
  return "unknown";
}

// The members of one JSON object, which becomes a line.
class AuditLine {
 public:
  AuditLine(std::string_view event, AuditEvent::Result result)
      : text_(fmt::format(R"({{"ts":"{}","event":"{}","result":"{}")",
                          common::utc_time(std::chrono::system_clock::now()), event, word_of(result))) {}

  AuditLine& add(std::string_view name, std::string_view value, std::size_t most_bytes) {
    if (!value.empty()) {
      fmt::format_to(std::back_inserter(text_), R"(,"{}":"{}")", name, common::json_escaped(value, most_bytes));
    }
    return *this;
  }
  AuditLine& add(std::string_view name, std::int64_t value) {
    if (value != 0) fmt::format_to(std::back_inserter(text_), R"(,"{}":{})", name, value);
    return *this;
  }
  [[nodiscard]] std::string end() { return std::move(text_) + "}\n"; }

 private:
  std::string text_;
};

std::string line_of(const AuditEvent& event) {
  AuditLine line(word_of(event.kind), event.result);
  line.add("actor", word_of(event.actor), kMostAuditNameBytes)
      .add("name", event.name, kMostAuditNameBytes)
      .add("person", event.person)
      .add("key", event.key);
  if (event.address) line.add("address", event.address->to_string(), kMostAuditNameBytes);
  return line.add("request_id", event.request_id, kMostAuditIdBytes)
      .add("subject", event.subject, kMostAuditNameBytes)
      .add("subject_id", event.subject_id)
      .add("detail", event.detail, kMostDetailBytes)
      .end();
}

std::string notice_of_loss(std::uint64_t count) {
  return fmt::format(R"({{"ts":"{}","event":"lost_lines","count":{}}})"
                     "\n",
                     common::utc_time(std::chrono::system_clock::now()), count);
}

}  // namespace

Outcome<void> AuditLog::use(const std::filesystem::path& file) {
  if (file.empty()) {
    writer_.reset();
    file_.clear();
    return {};
  }
  // With O_NONBLOCK, opening a named pipe without a reader fails instead of waiting.
  common::UniqueFd opened(
      ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, S_IRUSR | S_IWUSR));
  if (!opened.valid()) {
    return common::last_system_error("cannot open access.audit_log " + common::printable(file.string(), 200));
  }
  if (writer_) writer_->flush();
  writer_.emplace(std::move(opened), notice_of_loss);
  file_ = file;
  return {};
}

void AuditLog::write(const AuditEvent& event) {
  if (writer_) put(line_of(event));
}

void AuditLog::write_refusal(const AuditEvent& event, common::Clock::time_point now) {
  if (!writer_) return;
  if (now - period_began_ >= kRefusalPeriod) {
    end_period();
    period_began_ = now;
  }
  const Refuser refuser{event.kind, event.address.value_or(Network()).site(), event.person, event.key};
  if (const auto known = refusers_.find(refuser); known != refusers_.end()) {
    ++known->second;
  } else if (take_line(refuser)) {
    refusers_.emplace(refuser, 0);
    put(line_of(event));
  } else {
    ++further_count_;
  }
}

bool AuditLog::take_line(const Refuser& refuser) {
  const bool is_stranger = refuser.person == 0 && refuser.key == 0;
  std::size_t& lines = is_stranger ? stranger_lines_ : known_lines_;
  if (lines >= (is_stranger ? kMostStrangers : kMostKnown)) return false;
  Refuser one{AuditEvent::Kind::kCredential, refuser.site.block(), 0, 0};
  // A key of a person is this person.
  if (!is_stranger) {
    one.site = Network();
    one.person = refuser.person;
    one.key = refuser.person != 0 ? 0 : refuser.key;
  }
  std::uint32_t& lines_of_one = lines_of_[one];
  if (lines_of_one >= kMostOfOne) return false;
  ++lines_of_one;
  ++lines;
  return true;
}

void AuditLog::end_period() {
  // Older summaries are still here only if tick() was not called. Drop them, so that the list stays bounded.
  if (summaries_.size() > kMostRefusers) summaries_.clear();
  for (const auto& [refuser, count] : refusers_) {
    if (count != 0) summaries_.push_back({refuser, count});
  }
  if (further_count_ != 0) summaries_.push_back({std::nullopt, further_count_});
  refusers_.clear();
  lines_of_.clear();
  stranger_lines_ = known_lines_ = 0;
  further_count_ = 0;
}

void AuditLog::tick(common::Clock::time_point now) {
  if (!writer_) return;
  if (now - period_began_ >= kRefusalPeriod && (!refusers_.empty() || further_count_ != 0)) {
    end_period();
    period_began_ = now;
  }
  for (int i = 0; i < kLinesAtOnce && !summaries_.empty(); ++i) {
    const Summary summary = summaries_.back();
    summaries_.pop_back();
    // The refusals of further refusers have several kinds.
    AuditLine line(summary.refuser ? word_of(summary.refuser->kind) : "refusals", AuditEvent::Result::kRefused);
    if (summary.refuser) line.add("person", summary.refuser->person).add("key", summary.refuser->key);
    line.add("address", summary.refuser ? summary.refuser->site.to_string() : "others", kMostAuditNameBytes)
        .add("count", static_cast<std::int64_t>(summary.count))
        .add("detail", "further refusals of the last minute", kMostDetailBytes);
    put(line.end());
  }
  writer_->flush();
}

void AuditLog::put(const std::string& line) {
  const auto before = writer_->dropped_count();
  writer_->write(line);
  const auto after = writer_->dropped_count();
  if (after > before) lost_count_ += after - before;
  if (after != 0 && !std::exchange(loss_is_said_, true)) {
    common::log_error("the audit log {} takes no more lines; events are lost until it does",
                      common::printable(file_.string(), 200));
  } else if (after == 0 && std::exchange(loss_is_said_, false)) {
    common::log_warning("the audit log {} takes lines again; {} events were lost since the start of the server",
                        common::printable(file_.string(), 200), lost_count_);
  }
}

std::size_t AuditLog::RefuserHash::operator()(const Refuser& refuser) const {
  std::size_t hash = NetworkHash()(refuser.site);
  for (const auto part : {static_cast<std::size_t>(refuser.kind), static_cast<std::size_t>(refuser.person),
                          static_cast<std::size_t>(refuser.key)}) {
    hash = hash * 31 + part;
  }
  return hash;
}

}  // namespace yolod::app::access
