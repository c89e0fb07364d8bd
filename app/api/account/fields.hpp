// Fields reads the JSON object in the body of an account request. Such a body may have a password, so all memory that
// the parser and the object use is overwritten when it is freed.
//
// The getters remember the names of the fields, and the first value that is wrong. check() then returns an error for
// that value, or for a field that no getter has read. The texts live as long as the object.
//
// A single thread uses an object.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::account {

class Fields {
 public:
  // An object without fields.
  Fields() = default;
  // A Fields is never assigned, because an assignment of JSON copies it to other memory.
  Fields(Fields&&) = default;
  Fields& operator=(Fields&&) = delete;
  ~Fields() = default;
  // Returns kBadRequest if the text is not one JSON object.
  [[nodiscard]] static common::Outcome<Fields> parse(std::string_view text);

  // A getter returns the value of the field. If the field is absent, it returns `otherwise`.
  [[nodiscard]] std::string_view text(std::string_view name, std::string_view otherwise = {});
  [[nodiscard]] bool flag(std::string_view name, bool otherwise = false);
  // A whole number from 0 to `most`.
  [[nodiscard]] std::int64_t whole(std::string_view name, std::int64_t most, std::int64_t otherwise = 0);
  // A list of the names of scopes: bits of accounts::protocol::Scope.
  [[nodiscard]] std::uint32_t scopes(std::string_view name, std::uint32_t otherwise);
  // The field must be there.
  [[nodiscard]] std::string_view required_text(std::string_view name);

  // Returns kInvalidParameter for the first field that is wrong or unknown.
  [[nodiscard]] common::Outcome<void> check() const;

 private:
  explicit Fields(boost::json::value content) : content_(std::move(content)) {}
  [[nodiscard]] const boost::json::value* find(std::string_view name);
  void is_wrong(std::string_view name, std::string_view allowed);

  boost::json::value content_;  // an object, or null without fields
  std::vector<std::string_view> known_;
  std::optional<common::Error> wrong_;
};

}  // namespace yolod::app::api::account
