#include "app/api/account/audited_change.hpp"

#include <string_view>
#include <variant>

#include "app/accounts/protocol/names.hpp"

namespace yolod::app::api::account {
namespace {

namespace protocol = accounts::protocol;
using Kind = access::AuditEvent::Kind;

// The subject of a text that cannot be a name. A client may have typed a password there.
constexpr const char* kNoName = "?";

std::string person_subject(std::string_view text) {
  auto name = protocol::canonical_name(text);
  return name.empty() ? kNoName : name;
}

std::string key_subject(std::string_view text) { return std::string(protocol::is_key_name(text) ? text : kNoName); }

struct ChangeOf {
  AuditedChange operator()(const protocol::Register& command) const {
    return {Kind::kRegister, person_subject(command.name)};
  }
  AuditedChange operator()(const protocol::LogIn& command) const {
    return {Kind::kLogIn, person_subject(command.name)};
  }
  AuditedChange operator()(const protocol::LogOut& /*command*/) const { return {Kind::kLogOut, {}}; }
  AuditedChange operator()(const protocol::ChangePassword& /*command*/) const { return {Kind::kChangePassword, {}}; }
  AuditedChange operator()(const protocol::DeleteAccount& /*command*/) const { return {Kind::kDeleteAccount, {}}; }
  AuditedChange operator()(const protocol::ResetPassword& command) const {
    return {Kind::kResetPassword, person_subject(command.name)};
  }
  AuditedChange operator()(const protocol::AddPerson& command) const {
    return {Kind::kAddPerson, person_subject(command.name)};
  }
  AuditedChange operator()(const protocol::RemovePerson& command) const {
    return {Kind::kRemovePerson, person_subject(command.name)};
  }
  AuditedChange operator()(const protocol::SetDisabled& command) const {
    return {command.disabled ? Kind::kDisablePerson : Kind::kEnablePerson, person_subject(command.name)};
  }
  AuditedChange operator()(const protocol::CreateKey& command) const {
    return {Kind::kCreateKey, key_subject(command.name)};
  }
  AuditedChange operator()(const protocol::RevokeKey& command) const { return {Kind::kRevokeKey, {}, command.key}; }
  AuditedChange operator()(const protocol::CreateInvite& /*command*/) const { return {Kind::kCreateInvite, {}}; }
  AuditedChange operator()(const protocol::ListPeople& /*command*/) const { return {}; }
  AuditedChange operator()(const protocol::ListKeys& /*command*/) const { return {}; }
  AuditedChange operator()(const protocol::Touch& /*command*/) const { return {}; }
  AuditedChange operator()(const protocol::ReadAgain& /*command*/) const { return {}; }
};

}  // namespace

AuditedChange audited_change(const protocol::Command& command) { return std::visit(ChangeOf{}, command); }

bool is_fault(protocol::Status status) {
  return status == protocol::Status::kBusy || status == protocol::Status::kUnavailable ||
         status == protocol::Status::kDeadlineExceeded;
}

}  // namespace yolod::app::api::account
