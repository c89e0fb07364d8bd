// yolodctl: the command line. One subcommand a file. What asks a server is here; what computes with a model is
// yolodctl-model's (model/main.cpp), so that only who needs LibTorch waits until it is loaded.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model_program.hpp"

int main(int argc, char** argv) {
  CLI::App app{"The command line of yolod: look at models offline, ask a running server, measure it.", "yolodctl"};
  app.require_subcommand(1);
  int exit_code = 0;
  yolod::tools::add_status(app, exit_code);
  auto* bench = app.add_subcommand("bench", "Measure");
  bench->require_subcommand(1);
  yolod::tools::add_bench_server(*bench, exit_code);
#if defined(YOLOD_WITH_TORCH)
  const auto pass_on = [&](CLI::App* command) {
    command->prefix_command();  // its options are the other program's, --help included
    command->set_help_flag();
    command->callback([argv, &exit_code] { exit_code = yolod::tools::run_model_program(argv); });
  };
  for (const auto& command : yolod::tools::kModelCommands) pass_on(app.add_subcommand(command.name, command.purpose));
  pass_on(bench->add_subcommand(yolod::tools::kBenchModel.name, yolod::tools::kBenchModel.purpose));
#endif
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "yolodctl: %s\n", error.what());
    return 1;
  }
  return exit_code;
}
