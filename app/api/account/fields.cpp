#include "app/api/account/fields.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <boost/json/memory_resource.hpp>
#include <boost/json/parser.hpp>
#include <cstddef>
#include <new>
#include <utility>

#include "app/accounts/protocol/messages.hpp"
#include "app/api/account/account_json.hpp"
#include "app/api/request_values.hpp"
#include "common/text.hpp"

namespace yolod::app::api::account {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

// Overwrites memory before it frees it. Boost.JSON needs no alignment beyond that of operator new, and does not always
// name the same alignment when it frees the memory.
class WipingMemory final : public json::memory_resource {
 private:
  void* do_allocate(std::size_t bytes, std::size_t /*alignment*/) override { return ::operator new(bytes); }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t /*alignment*/) override {
    sodium_memzero(memory, bytes);
    ::operator delete(memory);
  }
  bool do_is_equal(const json::memory_resource& other) const noexcept override { return this == &other; }
};

json::storage_ptr wiping_memory() {
  static WipingMemory memory;
  return &memory;
}

// A separate function, so that its caller can overwrite the stack that the parser has used.
[[gnu::noinline]] Outcome<json::value> parse_object(std::string_view text) {
  constexpr std::size_t kDeepest = 4;
  json::parse_options options;
  options.max_depth = kDeepest;
  std::array<unsigned char, 2048> first_memory;  // Fields::parse() overwrites the stack
  json::parser parser(wiping_memory(), options, first_memory.data(), first_memory.size());
  parser.reset(wiping_memory());
  json::error_code failure;
  parser.write(text.data(), text.size(), failure);
  if (failure) return Error{ErrorCode::kBadRequest, "the body is not JSON"};
  json::value content = parser.release();
  if (!content.is_object()) return Error{ErrorCode::kBadRequest, "the body is not a JSON object"};
  return content;
}

}  // namespace

Outcome<Fields> Fields::parse(std::string_view text) {
  constexpr std::size_t kStackBytes = 16 * 1024;
  auto content = parse_object(text);
  sodium_stackzero(kStackBytes);
  if (!content) return content.error();
  return Fields(*std::move(content));
}

const json::value* Fields::find(std::string_view name) {
  known_.push_back(name);
  const auto* const object = content_.if_object();
  return object == nullptr ? nullptr : object->if_contains(json::string_view(name.data(), name.size()));
}

void Fields::is_wrong(std::string_view name, std::string_view allowed) {
  if (!wrong_) wrong_ = invalid(name, allowed);
}

std::string_view Fields::text(std::string_view name, std::string_view otherwise) {
  const auto* const value = find(name);
  if (value == nullptr) return otherwise;
  if (const auto* const found = value->if_string()) return {found->data(), found->size()};
  is_wrong(name, "a text");
  return otherwise;
}

std::string_view Fields::required_text(std::string_view name) {
  const auto found = text(name);
  if (found.empty()) is_wrong(name, "a text that is not empty");
  return found;
}

bool Fields::flag(std::string_view name, bool otherwise) {
  const auto* const value = find(name);
  if (value == nullptr) return otherwise;
  if (const auto* const found = value->if_bool()) return *found;
  is_wrong(name, "true or false");
  return otherwise;
}

std::int64_t Fields::whole(std::string_view name, std::int64_t most, std::int64_t otherwise) {
  const auto* const value = find(name);
  if (value == nullptr) return otherwise;
  if (const auto* const found = value->if_int64(); found != nullptr && *found >= 0 && *found <= most) return *found;
  is_wrong(name, "a whole number from 0 to " + std::to_string(most));
  return otherwise;
}

std::uint32_t Fields::scopes(std::string_view name, std::uint32_t otherwise) {
  constexpr std::string_view kAllowed = "a list of models, predict, load and admin";
  const auto* const value = find(name);
  if (value == nullptr) return otherwise;
  const auto* const list = value->if_array();
  if (list == nullptr) {
    is_wrong(name, kAllowed);
    return otherwise;
  }
  std::uint32_t scopes = 0;
  for (const json::value& one : *list) {
    const auto* const word = one.if_string();
    const auto scope = word == nullptr ? std::nullopt : scope_named({word->data(), word->size()});
    if (!scope) is_wrong(name, kAllowed);
    scopes |= scope.value_or(0);
  }
  return scopes;
}

Outcome<void> Fields::check() const {
  if (wrong_) return *wrong_;
  const auto* const object = content_.if_object();
  if (object == nullptr) return {};
  for (const auto& field : *object) {
    const std::string_view name(field.key().data(), field.key().size());
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      constexpr std::size_t kLongestShown = 50;
      return Error{ErrorCode::kInvalidParameter,
                   "the body has an unknown field: " + common::printable(name, kLongestShown)};
    }
  }
  return {};
}

}  // namespace yolod::app::api::account
