// yolodctl, the command line. Each subcommand has a file. Commands that query a server are in this program. Commands
// that compute with a model are in yolodctl-model (model/main.cpp), so that only these load LibTorch.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string_view>

#include "common/config/worker_threads.hpp"
#include "common/finish_output.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model_program.hpp"

namespace {

#if defined(YOLOD_WITH_TORCH)
// Returns whether the words name a command of the other program, which parses the rest itself.
bool is_for_model_program(int argc, char** argv) {
  using namespace yolod::tools;
  if (argc < 2) return false;
  const std::string_view first(argv[1]);
  if (first == "bench") return argc > 2 && std::string_view(argv[2]) == kBenchModel.name;
  return std::any_of(kModelCommands.begin(), kModelCommands.end(),
                     [&](const auto& command) { return first == command.name; });
}
#endif

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The command line of yolod: inspect models offline, query a running server, measure it.", "yolodctl"};
  app.require_subcommand(1);
  int exit_code = 0;
  yolod::tools::add_status(app, exit_code);
  yolod::tools::add_reload(app, exit_code);
  yolod::tools::add_check_tls(app, exit_code);
  yolod::tools::add_user(app, exit_code);
  yolod::tools::add_key(app, exit_code);
  yolod::tools::add_label_check(app, exit_code);
  yolod::tools::add_watch(app, exit_code);
  auto* bench = app.add_subcommand("bench", "Measure");
  bench->require_subcommand(1);
  yolod::tools::add_bench_server(*bench, exit_code);
#if defined(YOLOD_WITH_TORCH)
  if (is_for_model_program(argc, argv)) {
    // A benchmark has the machine to itself.
    const bool measures = std::string_view(argv[1]) == "bench";
    return yolod::tools::run_model_program(argv, measures ? yolod::common::kThreadsSpin : yolod::common::kThreadsSleep);
  }
  // These exist only for the help text.
  for (const auto& command : yolod::tools::kModelCommands) app.add_subcommand(command.name, command.purpose);
  bench->add_subcommand(yolod::tools::kBenchModel.name, yolod::tools::kBenchModel.purpose);
#endif
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return yolod::common::finish_output(app.exit(error) == 0 ? 0 : 2, "yolodctl");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "yolodctl: %s\n", error.what());
    return 1;
  }
  return yolod::common::finish_output(exit_code, "yolodctl");
}
