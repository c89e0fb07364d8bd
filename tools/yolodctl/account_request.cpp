#include "tools/yolodctl/account_request.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

#include "tools/yolodctl/http_client.hpp"
#include "tools/yolodctl/table.hpp"

namespace yolod::tools {

namespace json = boost::json;

int fail(const std::string& why, int exit_code) {
  std::fprintf(stderr, "yolodctl: %s\n", why.c_str());
  return exit_code;
}

std::string as_segment(std::string_view text) {
  static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~@";
  std::string segment;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      segment += c;
    } else {
      char escaped[4];
      std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      segment += escaped;
    }
  }
  return segment;
}

std::optional<json::object> ask(const AccountOptions& options, std::string_view method, const std::string& target,
                                const json::object* body, int& exit_code) {
  constexpr std::chrono::seconds kTimeout{30};
  const auto url = parse_server_url(options.url);
  if (!url) {
    exit_code = fail("--url: " + url.error().message, 2);
    return std::nullopt;
  }
  const auto answer = fetch(*url, method, target, kTimeout, body == nullptr ? std::string() : json::serialize(*body));
  if (!answer) {
    exit_code = fail(options.url + ": " + answer.error().message);
    return std::nullopt;
  }
  constexpr unsigned kFirstError = 300;
  if (answer->result_int() >= kFirstError) {
    exit_code = fail("refused: " + reason_in(*answer));
    return std::nullopt;
  }
  boost::system::error_code error;
  auto value = json::parse(answer->body(), error);
  if (error || !value.is_object()) {
    exit_code = fail(options.url + ": the answer is not JSON of yolod");
    return std::nullopt;
  }
  return std::move(value.get_object());
}

std::optional<std::vector<json::object>> ask_for_all(const AccountOptions& options, const std::string& target,
                                                     const char* members, int& exit_code) {
  std::vector<json::object> all;
  for (std::string after = "0";;) {
    auto page = ask(options, "GET", target + "?after=" + after, nullptr, exit_code);
    if (!page) return std::nullopt;
    for (const auto& member : list(*page, members)) {
      if (member.is_object()) all.push_back(member.get_object());
    }
    const auto* const more = page->if_contains("more");
    if (more == nullptr || !more->is_bool() || !more->get_bool() || all.empty()) return all;
    after = cell(all.back(), "id");
  }
}

std::string date_cell(const json::object& object, const char* key, const char* otherwise) {
  const auto* const value = object.if_contains(key);
  if (value == nullptr || !value->is_int64() || value->get_int64() == 0) return otherwise;
  const std::time_t time = value->get_int64();
  std::tm parts{};
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", gmtime_r(&time, &parts));
  return text;
}

void print_json(const std::vector<json::object>& all) {
  for (const auto& one : all) std::printf("%s\n", json::serialize(one).c_str());
}

CLI::App* add_group(CLI::App& app, const char* name, const char* purpose, AccountOptions& options) {
  auto* group = app.add_subcommand(name, purpose);
  group->require_subcommand(1);
  group->add_option("--url", options.url, "the server's admin socket, unix:/path")
      ->check([](const std::string& url) -> std::string {
        if (url.starts_with("unix:")) return {};
        return url + " is no unix socket (unix:/path), and passwords and keys would be in clear text";
      })
      ->capture_default_str();
  return group;
}

CLI::App* add_command(CLI::App& group, const char* name, const char* purpose,
                      const std::shared_ptr<AccountOptions>& options, int& exit_code,
                      std::function<int(const AccountOptions&)> run) {
  auto* command = group.add_subcommand(name, purpose);
  command->fallthrough();  // to --url of the group
  command->callback([options, &exit_code, run = std::move(run)] { exit_code = run(*options); });
  return command;
}

}  // namespace yolod::tools
