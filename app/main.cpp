// yolod is the front-end. It reads the command line and the config, then serves.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "app/first_run/first_config.hpp"
#include "app/host/block_signals.hpp"
#include "app/host/malloc.hpp"
#include "app/host/open_files.hpp"
#include "app/print_config.hpp"
#include "app/reference/config_page.hpp"
#include "app/reference/metrics_page.hpp"
#include "app/refused_settings.hpp"
#include "app/serve.hpp"
#include "app/unsafe_settings.hpp"
#include "common/config/schema.hpp"
#include "common/finish_output.hpp"
#include "common/log.hpp"
#include "common/sanitizers.hpp"
#include "common/version.hpp"

namespace {

constexpr int kExitCannotServe = 1;
constexpr int kExitBadUsage = 2;

struct Options {
  std::string config_file;
  std::vector<std::string> overrides;
  bool check{false};
  bool print_config{false};
  bool print_config_reference{false};
  bool print_metrics_reference{false};
  std::string init_folder;
};

constexpr const char* kInstalledConfig = "/etc/yolod/system.yaml";

// Returns the first of the two files that exists.
std::optional<std::filesystem::path> default_config_file() {
  for (const std::filesystem::path file : {"system.yaml", kInstalledConfig}) {
    if (std::filesystem::exists(file)) return std::filesystem::absolute(file);
  }
  return std::nullopt;
}

// Opens descriptors 0, 1 and 2 if they are closed. Otherwise the next file that this process opens gets one of these
// numbers, and this process or a worker would use it as standard input, output or error.
void open_standard_streams() {
  int descriptor = -1;
  do {
    descriptor = open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) close(descriptor);
}

// Returns each problem as one line.
std::variant<yolod::common::Config, std::vector<std::string>> read_config(const std::filesystem::path& file,
                                                                          const std::vector<std::string>& overrides) {
  using namespace yolod;
  auto loaded = common::load_config(file, overrides, app::refused_settings);
  if (loaded.config) {
    for (auto& warning : app::warnings_of(*loaded.config)) loaded.config->warnings.push_back(std::move(warning));
    return std::move(*loaded.config);
  }
  std::vector<std::string> problems;
  for (const auto& problem : loaded.problems) problems.push_back(common::to_string(problem));
  return problems;
}

std::optional<std::string> page_to_print(const Options& options) {
  using namespace yolod::app;
  if (options.print_config_reference) return reference::config_page(notes_on_refused_settings());
  if (options.print_metrics_reference) return reference::metrics_page();
  return std::nullopt;
}

int run(const Options& options, yolod::app::host::ServiceManager& manager) {
  using namespace yolod;
  // Make the path absolute now: a reload reads the file when the process may have another working directory.
  const auto found = options.config_file.empty() ? default_config_file()
                                                 : std::optional(std::filesystem::absolute(options.config_file));
  if (!found) {
    std::fprintf(stderr, "there is no config: neither %s nor %s exists; --config FILE names another\n",
                 std::filesystem::absolute("system.yaml").c_str(), kInstalledConfig);
    return kExitBadUsage;
  }
  const auto& file = *found;
  auto read = read_config(file, options.overrides);
  if (const auto* problems = std::get_if<std::vector<std::string>>(&read)) {
    for (const auto& problem : *problems) std::fprintf(stderr, "%s\n", problem.c_str());
    return kExitBadUsage;
  }
  auto& config = std::get<common::Config>(read);
  if (options.print_config) {
    const auto printed = app::print_config(config);
    if (!printed) std::fprintf(stderr, "yolod: %s\n", printed.error().message.c_str());
    return printed ? 0 : kExitCannotServe;
  }
  if (auto log = common::configure_log(config.logging, "yolod"); !log) {
    std::fprintf(stderr, "%s\n", log.error().message.c_str());
    return kExitCannotServe;
  }
  for (const std::string& warning : config.warnings) common::log_warning("{}", warning);
  if (options.check) {
    for (auto& model : config.models) model.workers = 1;
  }
  const rlimit open_files = app::host::raise_open_files();
  const auto read_again = [&file, &options]() -> std::optional<common::Config> {
    auto again = read_config(file, options.overrides);
    if (auto* changed = std::get_if<common::Config>(&again)) return std::move(*changed);
    for (const auto& problem : std::get<std::vector<std::string>>(again)) common::log_error("reload: {}", problem);
    return std::nullopt;
  };
  const auto mode = options.check ? app::RunMode::kCheck : app::RunMode::kServe;
  const int exit_code = app::serve(config, read_again, mode, manager, open_files);
  common::flush_log();
  return exit_code;
}

// Without this, another process of the same user can trace the front-end, read request bodies in its memory, change
// its memory and take its listeners. A malicious picture may have taken over a worker, and that worker is such a
// process. Debuggers and core dumps of the front-end then need root.
void forbid_tracing() {
  // The leak check of a sanitizer needs ptrace.
  if constexpr (!yolod::common::kSanitized) prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace

int main(int argc, char** argv) {
  forbid_tracing();
  yolod::app::host::block_front_end_signals();
  yolod::app::host::set_malloc();
  open_standard_streams();
  yolod::app::host::ServiceManager manager;
  CLI::App app{"yolod: an inference server for YOLO and other vision models.", "yolod"};
  Options options;
  auto* config = app.add_option("--config", options.config_file,
                                "The config file (default: ./system.yaml, /etc/yolod/system.yaml)");
  auto* set =
      app.add_option("--set", options.overrides, "Override one key: KEY=VALUE, the value as YAML; may be repeated")
          ->allow_extra_args(false);
  auto* check =
      app.add_flag("--check", options.check, "Read the config, load every model once, say what was found, and stop");
  auto* init = app.add_option("--init", options.init_folder,
                              "Write a first system.yaml for the networks in the folder DIR (default: here), and stop")
                   ->type_name("[DIR]")
                   ->expected(0, 1)
                   ->excludes(config)
                   ->excludes(set)
                   ->excludes(check);
  app.add_flag("--print-config", options.print_config,
               "Print the effective config (the file, each --set and the defaults) as YAML, and stop")
      ->excludes(init);
  app.add_flag("--print-config-reference", options.print_config_reference,
               "Print every key of the config with its default, range and meaning (docs/configuration.md), and stop")
      ->excludes(init);
  app.add_flag("--print-metrics-reference", options.print_metrics_reference,
               "Print every metric with its labels and meaning (docs/metrics.md), and stop")
      ->excludes(init);
  app.set_version_flag("--version", std::string("yolod ") + yolod::common::kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return yolod::common::finish_output(app.exit(error) == 0 ? 0 : kExitBadUsage, "yolod");
  }
  try {
    if (init->count() != 0) {
      const std::filesystem::path folder = options.init_folder.empty() ? "." : options.init_folder;
      return yolod::common::finish_output(yolod::app::first_run::write_first_config(folder), "yolod");
    }
    if (const auto page = page_to_print(options)) {
      std::fputs(page->c_str(), stdout);
      return yolod::common::finish_output(0, "yolod");
    }
    return yolod::common::finish_output(run(options, manager), "yolod");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "yolod: %s\n", error.what());
    return kExitCannotServe;
  }
}
