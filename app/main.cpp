// yolod: the front-end. Reads the command line and the config, then serves.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "app/process/block_signals.hpp"
#include "app/serve.hpp"
#include "app/supported.hpp"
#include "app/version.hpp"
#include "common/config_schema.hpp"
#include "common/log.hpp"

namespace {

constexpr int kExitCannotServe = 1;
constexpr int kExitBadUsage = 2;

struct Options {
  std::string config_file;
  std::vector<std::string> overrides;
  bool check{false};
};

// The first of the two places that has one; the first of them also when none has, so that the error names it.
std::filesystem::path default_config_file() {
  const std::filesystem::path here = "system.yaml";
  const std::filesystem::path installed = "/etc/yolod/system.yaml";
  return !std::filesystem::exists(here) && std::filesystem::exists(installed) ? installed : here;
}

// Whatever is opened first must not become stdin, stdout or stderr of this process or of a worker.
void open_standard_streams() {
  int descriptor = -1;
  do {
    descriptor = open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) close(descriptor);
}

// As many descriptors as the kernel lets us have; workers get back what we were given.
rlimit raise_open_files() {
  rlimit given{};
  getrlimit(RLIMIT_NOFILE, &given);
  rlimit raised = given;
  raised.rlim_cur = raised.rlim_max;
  setrlimit(RLIMIT_NOFILE, &raised);
  return given;
}

int run(const Options& options) {
  using namespace yolod;
  const auto file = options.config_file.empty() ? default_config_file() : std::filesystem::path(options.config_file);
  auto loaded = common::load_config(file, options.overrides);
  if (!loaded.config) {
    for (const auto& problem : loaded.problems) std::fprintf(stderr, "%s\n", common::to_string(problem).c_str());
    return kExitBadUsage;
  }
  common::Config& config = *loaded.config;
  const auto unsupported = app::unsupported_settings(config);
  for (const std::string& problem : unsupported) std::fprintf(stderr, "%s: %s\n", file.c_str(), problem.c_str());
  if (!unsupported.empty()) return kExitBadUsage;
  if (auto log = common::configure_log(config.logging, "yolod"); !log) {
    std::fprintf(stderr, "%s\n", log.error().message.c_str());
    return kExitCannotServe;
  }
  for (const std::string& warning : config.warnings) common::log_warning("{}", warning);
  if (options.check) {
    for (auto& model : config.models) model.workers = 1;
  }
  const rlimit open_files = raise_open_files();
  const int exit_code = app::serve(config, options.check ? app::RunMode::kCheck : app::RunMode::kServe, open_files);
  common::flush_log();
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  yolod::app::block_front_end_signals();
  open_standard_streams();
  CLI::App app{"yolod: an inference server for YOLO and other vision models.", "yolod"};
  Options options;
  app.add_option("--config", options.config_file, "The config file (default: ./system.yaml, /etc/yolod/system.yaml)");
  app.add_option("--set", options.overrides, "Override one key: KEY=VALUE, the value as YAML; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--check", options.check, "Read the config, load every model once, say what was found, and stop");
  app.set_version_flag("--version", std::string("yolod ") + yolod::app::kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitBadUsage;
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "yolod: %s\n", error.what());
    return kExitCannotServe;
  }
}
