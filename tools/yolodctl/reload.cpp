// yolodctl reload makes a running server read its config again and load its models, or one of them, beside those that
// serve.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "tools/yolodctl/admin_socket.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/http_client.hpp"

namespace yolod::tools {
namespace {

struct ReloadOptions {
  std::string url{default_admin_url()};
  std::string model;
  unsigned timeout_s{600};
};

int run_reload(const ReloadOptions& options) {
  const auto url = parse_server_url(options.url);
  if (!url) {
    std::fprintf(stderr, "yolodctl: %s\n", url.error().message.c_str());
    return 2;
  }
  const std::string target = options.model.empty() ? "/reload" : "/reload?model=" + options.model;
  const auto answer = fetch(*url, "POST", target, std::chrono::seconds(options.timeout_s));
  if (!answer) {
    std::fprintf(stderr, "yolodctl: %s: %s\n", options.url.c_str(), answer.error().message.c_str());
    return 1;
  }
  if (answer->result() != boost::beast::http::status::ok) {
    std::fprintf(stderr, "yolodctl: not reloaded: %s\n", reason_in(*answer).c_str());
    return 1;
  }
  std::printf("reloaded\n");
  return 0;
}

}  // namespace

void add_reload(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ReloadOptions>();
  auto* command = app.add_subcommand("reload", "Make a running server read its config and load its models again");
  command->add_option("--url", options->url, "the server's admin socket, unix:/path")->capture_default_str();
  command->add_option("--model", options->model, "load only this model");
  command->add_option("--timeout", options->timeout_s, "seconds to wait for the reload")->capture_default_str();
  command->callback([options, &exit_code] { exit_code = run_reload(*options); });
}

}  // namespace yolod::tools
