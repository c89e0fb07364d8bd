// yolodctl user manages the people of a running server.
#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "tools/yolodctl/account_request.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/password.hpp"
#include "tools/yolodctl/table.hpp"

namespace yolod::tools {
namespace {

namespace json = boost::json;

// Puts a password into `body`, unless the server is to choose one.
bool take_password(const AccountOptions& options, json::object& body, int& exit_code) {
  if (options.generate) return true;
  auto password = read_new_password("password of " + options.name);
  if (!password) {
    exit_code = fail(password.error().message, 2);
    return false;
  }
  body["password"] = *password;
  return true;
}

// Prints the password that the server has chosen.
void print_password(const json::object& answer) {
  if (answer.if_contains("password") != nullptr) std::printf("%s\n", cell(answer, "password").c_str());
}

int run_add_user(const AccountOptions& options) {
  int exit_code = 0;
  json::object body{{"name", options.name}, {"role", options.admin ? "admin" : "user"}};
  if (!take_password(options, body, exit_code)) return exit_code;
  const auto answer = ask(options, "POST", "/api/users", &body, exit_code);
  if (!answer) return exit_code;
  print_password(*answer);
  std::fprintf(stderr, "added %s\n", options.name.c_str());
  return 0;
}

int list_users(const AccountOptions& options) {
  int exit_code = 0;
  const auto people = ask_for_all(options, "/api/users", "users", exit_code);
  if (!people) return exit_code;
  if (options.json) {
    print_json(*people);
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"NAME", "ROLE", "SINCE", "STATE"}};
  for (const auto& person : *people) {
    const auto disabled = date_cell(person, "disabled", "");
    rows.push_back({cell(person, "name"), cell(person, "role"), date_cell(person, "created", "-"),
                    disabled.empty() ? "active" : "disabled " + disabled});
  }
  print_table(rows);
  return 0;
}

int reset_user(const AccountOptions& options) {
  int exit_code = 0;
  json::object body;
  if (!take_password(options, body, exit_code)) return exit_code;
  const auto target = "/api/users/" + as_segment(options.name) + "/password";
  const auto answer = ask(options, "POST", target, &body, exit_code);
  if (!answer) return exit_code;
  print_password(*answer);
  std::fprintf(stderr, "%s has a new password, and no session\n", options.name.c_str());
  return 0;
}

// Sends a change of one person, and says that it is done.
int change_user(const AccountOptions& options, const char* method, const json::object* body, const char* done) {
  int exit_code = 0;
  const auto answer = ask(options, method, "/api/users/" + as_segment(options.name), body, exit_code);
  if (!answer) return exit_code;
  std::fprintf(stderr, "%s %s\n", done, options.name.c_str());
  return 0;
}

int invite_user(const AccountOptions& options) {
  int exit_code = 0;
  const json::object body{{"valid_for", options.days * kDaySeconds}};
  const auto answer = ask(options, "POST", "/api/invites", &body, exit_code);
  if (!answer) return exit_code;
  std::printf("%s\n", cell(*answer, "invite").c_str());
  std::fprintf(stderr, "the invitation is valid until %s UTC\n", date_cell(*answer, "expires", "-").c_str());
  return 0;
}

void add_name(CLI::App* command, AccountOptions& options, const char* what) {
  command->add_option("NAME", options.name, what)->required();
}

void add_generate(CLI::App* command, AccountOptions& options) {
  command->add_flag("--generate", options.generate,
                    "the server chooses the password and prints it; without this flag the password is read from the "
                    "terminal, or is a line of standard input");
}

}  // namespace

void add_user(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<AccountOptions>();
  auto* group = add_group(app, "user", "Manage the people of a running server, over its admin socket", *options);
  constexpr const char* kPerson = "the person's name";

  auto* add = add_command(*group, "add", "Add a person", options, exit_code,
                          [](const AccountOptions& given) { return run_add_user(given); });
  add_name(add, *options, kPerson);
  add->add_flag("--admin", options->admin, "the person may manage people and all keys");
  add_generate(add, *options);

  auto* list = add_command(*group, "list", "List all people", options, exit_code, list_users);
  list->add_flag("--json", options->json, "one line of JSON for each person");

  auto* reset = add_command(*group, "reset", "Give a person a new password, and end their sessions", options, exit_code,
                            reset_user);
  add_name(reset, *options, kPerson);
  add_generate(reset, *options);

  add_name(add_command(*group, "disable", "End a person's sessions, and revoke their keys for good", options, exit_code,
                       [](const AccountOptions& given) {
                         const json::object body{{"disabled", true}};
                         return change_user(given, "PATCH", &body, "disabled");
                       }),
           *options, kPerson);
  add_name(add_command(*group, "enable", "Let a disabled person log in again", options, exit_code,
                       [](const AccountOptions& given) {
                         const json::object body{{"disabled", false}};
                         return change_user(given, "PATCH", &body, "enabled");
                       }),
           *options, kPerson);
  add_name(add_command(*group, "remove", "Remove a person with all keys", options, exit_code,
                       [](const AccountOptions& given) { return change_user(given, "DELETE", nullptr, "removed"); }),
           *options, kPerson);

  auto* invite = add_command(*group, "invite", "Make an invitation, with which one person can register", options,
                             exit_code, invite_user);
  invite->add_option("--days", options->days, "days until it expires, 0 for 7")->capture_default_str();
}

}  // namespace yolod::tools
