#include "tests/support/people_server.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace yolod::tests {

namespace json = boost::json;

std::string people_config(const std::vector<std::string>& server_keys, const std::string& more) {
  return identity_config({{.workers = 1}}, server_keys) + more;
}

namespace {

ServerOptions options_of(const std::string& postgres, const std::vector<std::string>& with, const std::string& access) {
  ServerOptions options;
  const std::vector<std::string> keys =
      postgres.empty() ? std::vector<std::string>{"state_dir: state"} : std::vector<std::string>{};
  options.config = people_config(keys, "access: {" + access + "}\n" + postgres);
  options.with = with;
  return options;
}

// Returns the text of a member, or an empty text if there is none.
std::string text_member(const json::value& value, std::string_view name) {
  const auto* const object = value.if_object();
  const auto* const member =
      object == nullptr ? nullptr : object->if_contains(json::string_view(name.data(), name.size()));
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}

}  // namespace

PeopleServer::PeopleServer(const std::string& postgres, const std::vector<std::string>& with, const std::string& access)
    : server_(options_of(postgres, with, access)) {}

json::value PeopleServer::accounts_status() const {
  const auto status = HttpClient(server_.admin_endpoint()).get("/status").json();
  const auto* const object = status.if_object();
  const auto* const accounts = object == nullptr ? nullptr : object->if_contains("accounts");
  return accounts == nullptr ? json::value() : *accounts;
}

std::string PeopleServer::accounts_state() const { return text_member(accounts_status(), "state"); }

pid_t PeopleServer::accounts_pid() const {
  const auto accounts = accounts_status();
  return accounts.is_object() ? static_cast<pid_t>(accounts.at("pid").as_int64()) : 0;
}

bool PeopleServer::wait_until_accounts(std::string_view state, milliseconds deadline) {
  return server_.wait_until_ready(deadline) && wait_until([&] { return accounts_state() == state; }, deadline);
}

Answer Browser::send(const std::string& method, const std::string& target, const std::string& body) {
  Request request{method, target};
  request.headers = {{"Sec-Fetch-Site", "same-origin"}};
  if (!cookie_.empty()) request.headers.emplace_back("Cookie", cookie_);
  if (!csrf_token_.empty()) request.headers.emplace_back("X-CSRF-Token", csrf_token_);
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = body;
  auto answer = client_.send(request);
  if (const auto set = answer.header("Set-Cookie"); !set.empty()) {
    cookie_ = set.substr(0, set.find(';'));
    if (cookie_.ends_with('=')) cookie_.clear();
    csrf_token_ = text_member(answer.json(), "csrf_token");
  }
  return answer;
}

Answer Browser::predict(const std::string& body) {
  return client_.post("/predict", body, {{"Cookie", cookie_}, {"Sec-Fetch-Site", "same-origin"}});
}

Answer Browser::enroll(const std::string& name, const std::string& password) {
  return post("/api/register", json::serialize(json::object{{"name", name}, {"password", password}}));
}

Answer Browser::log_in(const std::string& name, const std::string& password) {
  return post("/api/login", json::serialize(json::object{{"name", name}, {"password", password}}));
}

Headers bearer(const std::string& key) { return {{"Authorization", "Bearer " + key}}; }

}  // namespace yolod::tests
