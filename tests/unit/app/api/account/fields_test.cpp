#include "app/api/account/fields.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::api::account {
namespace {

using common::ErrorCode;

Fields fields_of(std::string_view text) {
  auto parsed = Fields::parse(text);
  REQUIRE(parsed);
  return *std::move(parsed);
}

TEST_CASE("AccountFields: each kind of value is read, and an absent value is the default", "[app][account][unit]") {
  auto fields = fields_of(R"({"name":"anna \u00e9","disabled":false,"rate":12,"scopes":["models","admin"]})");
  CHECK(fields.text("name") == "anna \u00e9");
  CHECK_FALSE(fields.flag("disabled", true));
  CHECK(fields.whole("rate", 100) == 12);
  CHECK(fields.scopes("scopes", 0) == (accounts::protocol::kScopeModels | accounts::protocol::kScopeAdmin));
  CHECK(fields.text("owner", "nobody") == "nobody");
  CHECK(fields.flag("absent", true));
  CHECK(fields.whole("expires", 100, 7) == 7);
  CHECK(fields.scopes("others", 3) == 3);
  CHECK(fields.check());
}

TEST_CASE("AccountFields: a body that is no JSON object is refused", "[app][account][unit]") {
  for (const char* text :
       {"", " ", "{", "[]", "\"a\"", "null", "{} {}", R"({"a":[[[[[[1]]]]]]})", "{\"a\":\"\xff\"}"}) {
    CAPTURE(text);
    const auto parsed = Fields::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kBadRequest);
  }
}

TEST_CASE("AccountFields: the first wrong value is the error", "[app][account][unit]") {
  struct Row {
    const char* text;
    void (*read)(Fields& fields);
    const char* wrong;
  };
  const auto row =
      GENERATE(Row{R"({"name":1})", [](Fields& fields) { (void)fields.text("name"); }, "name"},
               Row{R"({"name":""})", [](Fields& fields) { (void)fields.required_text("name"); }, "name"},
               Row{R"({})", [](Fields& fields) { (void)fields.required_text("password"); }, "password"},
               Row{R"({"on":"yes"})", [](Fields& fields) { (void)fields.flag("on"); }, "on"},
               Row{R"({"rate":-1})", [](Fields& fields) { (void)fields.whole("rate", 5); }, "rate"},
               Row{R"({"rate":6})", [](Fields& fields) { (void)fields.whole("rate", 5); }, "rate"},
               Row{R"({"rate":1.5})", [](Fields& fields) { (void)fields.whole("rate", 5); }, "rate"},
               Row{R"({"scopes":"models"})", [](Fields& fields) { (void)fields.scopes("scopes", 0); }, "scopes"},
               Row{R"({"scopes":["everything"]})", [](Fields& fields) { (void)fields.scopes("scopes", 0); }, "scopes"},
               Row{R"({"scopes":[1]})", [](Fields& fields) { (void)fields.scopes("scopes", 0); }, "scopes"},
               Row{R"({"name":"a","more":1})", [](Fields& fields) { (void)fields.text("name"); }, "more"});
  CAPTURE(row.text);
  auto fields = fields_of(row.text);
  row.read(fields);
  const auto checked = fields.check();
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == ErrorCode::kInvalidParameter);
  CHECK(checked.error().message.find(row.wrong) != std::string::npos);
}

}  // namespace
}  // namespace yolod::app::api::account
