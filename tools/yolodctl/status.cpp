// yolodctl status shows the state of a running server.
#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/http_client.hpp"
#include "tools/yolodctl/server_options.hpp"
#include "tools/yolodctl/table.hpp"

namespace yolod::tools {
namespace {

namespace json = boost::json;

struct StatusOptions {
  ServerOptions server;
  bool json{false};
};

std::string megabytes(const json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return "-";
  constexpr double kMiB = 1 << 20;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", value->to_number<double>() / kMiB);
  return text;
}

// Returns the length of a model's queue and its limit: "0 of 64".
std::string queue_cell(const json::object& model) {
  const auto* value = model.if_contains("queue");
  const auto* queue = value != nullptr ? value->if_object() : nullptr;
  return queue != nullptr ? cell(*queue, "depth") + " of " + cell(*queue, "max_size") : "-";
}

void print_status(const json::object& status) {
  std::printf("yolod %s, pid %s, up %s s, listening on %s\n\n", cell(status, "version").c_str(),
              cell(status, "pid").c_str(), cell(status, "uptime").c_str(), join_texts(list(status, "listen")).c_str());
  std::vector<std::vector<std::string>> models{{"MODEL", "STATE", "GENERATION", "QUEUE", "WORKERS"}};
  std::vector<std::vector<std::string>> workers{
      {"MODEL", "PID", "STATE", "GENERATION", "RESTARTS", "DEVICE", "PRECISION", "REQUESTS", "MEMORY"}};
  for (const auto& model_value : list(status, "models")) {
    const auto* model = model_value.if_object();
    if (model == nullptr) continue;
    const auto name = cell(*model, "name");
    models.push_back({name, cell(*model, "state"), cell(*model, "generation"), queue_cell(*model),
                      std::to_string(list(*model, "workers").size())});
    for (const auto& worker_value : list(*model, "workers")) {
      const auto* worker = worker_value.if_object();
      if (worker == nullptr) continue;
      workers.push_back({name, cell(*worker, "pid"), cell(*worker, "state"), cell(*worker, "generation"),
                         cell(*worker, "restarts"), cell(*worker, "device"), cell(*worker, "precision"),
                         cell(*worker, "requests"), megabytes(*worker, "rss_bytes")});
    }
  }
  print_table(models);
  std::printf("\n");
  print_table(workers);
}

int run_status(const StatusOptions& options) {
  const auto url = parse_server_url(options.server.url);
  if (!url) {
    std::fprintf(stderr, "yolodctl: --url: %s\n", url.error().message.c_str());
    return 2;
  }
  const auto fail = [&options](const std::string& why, int code = 1) {
    std::fprintf(stderr, "yolodctl: %s: %s\n", options.server.url.c_str(), why.c_str());
    return code;
  };
  constexpr std::chrono::seconds kTimeout{10};
  const auto answer = fetch(url.value(), "GET", "/status", kTimeout, {}, options.server.trust);
  if (!answer) return fail(answer.error().message, answer.error().code == common::ErrorCode::kBadRequest ? 2 : 1);
  if (answer.value().result() != boost::beast::http::status::ok) {
    return fail("answered " + std::to_string(answer.value().result_int()) + " " + answer.value().body());
  }
  boost::system::error_code error;
  const auto status = json::parse(answer.value().body(), error);
  if (error || !status.is_object()) return fail("the answer is not a status of yolod");
  if (options.json) {
    std::printf("%s\n", json::serialize(status).c_str());
  } else {
    print_status(status.get_object());
  }
  return 0;
}

}  // namespace

void add_status(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<StatusOptions>();
  auto* command = app.add_subcommand("status", "Show the state of a running server");
  add_server_options(*command, options->server);
  command->add_flag("--json", options->json, "the server's own JSON, on one line");
  command->callback([options, &exit_code] { exit_code = run_status(*options); });
}

}  // namespace yolod::tools
