// yolodctl: the command line. One subcommand a file.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "tools/yolodctl/commands.hpp"

int main(int argc, char** argv) {
  CLI::App app{"The command line of yolod: look at models offline, ask a running server, measure it.", "yolodctl"};
  app.require_subcommand(1);
  int exit_code = 0;
  yolod::tools::add_status(app, exit_code);
  auto* bench = app.add_subcommand("bench", "Measure");
  bench->require_subcommand(1);
  yolod::tools::add_bench_server(*bench, exit_code);
#if defined(YOLOD_WITH_TORCH)
  yolod::tools::add_predict(app, exit_code);
  yolod::tools::add_infer(app, exit_code);
  yolod::tools::add_eval(app, exit_code);
  yolod::tools::add_export(app, exit_code);
  yolod::tools::add_bench_model(*bench, exit_code);
  yolod::tools::add_info(app, exit_code);
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
