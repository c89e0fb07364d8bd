// yolodctl key manages the API keys of a running server.
#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "tools/yolodctl/account_request.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/table.hpp"

namespace yolod::tools {
namespace {

namespace json = boost::json;

int create_key(const AccountOptions& options) {
  int exit_code = 0;
  json::object body{{"name", options.name}, {"rate", options.rate}, {"in_flight", options.in_flight}};
  body["scopes"] = json::array(options.scopes.begin(), options.scopes.end());
  if (!options.owner.empty()) body["owner"] = options.owner;
  if (options.days != 0) body["expires"] = static_cast<std::int64_t>(std::time(nullptr)) + options.days * kDaySeconds;
  const auto answer = ask(options, "POST", "/api/keys", &body, exit_code);
  if (!answer) return exit_code;
  std::printf("%s\n", cell(*answer, "key").c_str());
  std::fprintf(stderr, "the server does not store the key and cannot show it again\n");
  return 0;
}

int list_keys(const AccountOptions& options) {
  int exit_code = 0;
  const auto keys = ask_for_all(options, "/api/keys", "keys", exit_code);
  if (!keys) return exit_code;
  if (options.json) {
    print_json(*keys);
    return 0;
  }
  std::vector<std::vector<std::string>> rows{
      {"ID", "NAME", "OWNER", "KEY", "SCOPES", "RATE", "IN FLIGHT", "LAST USED", "EXPIRES"}};
  for (const auto& key : *keys) {
    const auto revoked = date_cell(key, "revoked", "");
    rows.push_back({cell(key, "id"), cell(key, "name"), cell(key, "owner"),
                    "yld_" + cell(key, "head") + "..." + cell(key, "tail"), join_texts(list(key, "scopes")),
                    cell(key, "rate"), cell(key, "in_flight"), date_cell(key, "last_used", "never"),
                    revoked.empty() ? date_cell(key, "expires", "never") : "revoked " + revoked});
  }
  print_table(rows);
  return 0;
}

int revoke_key(const AccountOptions& options) {
  int exit_code = 0;
  const auto answer = ask(options, "DELETE", "/api/keys/" + std::to_string(options.id), nullptr, exit_code);
  if (!answer) return exit_code;
  std::fprintf(stderr, "revoked key %lld\n", static_cast<long long>(options.id));
  return 0;
}

}  // namespace

void add_key(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<AccountOptions>();
  auto* group = add_group(app, "key", "Manage the API keys of a running server, over its admin socket", *options);

  auto* create = add_command(*group, "create", "Make an API key, and print it", options, exit_code, create_key);
  create->add_option("NAME", options->name, "a name for the key")->required();
  create->add_option("--owner", options->owner,
                     "the person to whom the key belongs; without this option the key has no owner");
  create->add_option("--scope", options->scopes, "models, predict, load or admin; may be repeated")
      ->capture_default_str();
  create->add_option("--rate", options->rate, "requests a second, 0 for the general limit")->capture_default_str();
  create->add_option("--in-flight", options->in_flight, "requests at the same time, 0 for the general limit")
      ->capture_default_str();
  create->add_option("--days", options->days, "days until the key expires, 0 for never")->capture_default_str();

  auto* list = add_command(*group, "list", "List the keys of all people", options, exit_code, list_keys);
  list->add_flag("--json", options->json, "one line of JSON for each key");

  auto* revoke = add_command(*group, "revoke", "Revoke a key: requests with it are refused at once", options, exit_code,
                             revoke_key);
  revoke->add_option("ID", options->id, "the number of the key, as the list shows it")->required();
}

}  // namespace yolod::tools
