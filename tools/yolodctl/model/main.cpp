// yolodctl-model has the commands of yolodctl that compute with a model. yolodctl starts it with its own arguments.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "common/finish_output.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model/load_guard.hpp"

int main(int argc, char** argv) {
  yolod::tools::follow_parent();
  CLI::App app{"", "yolodctl"};
  app.require_subcommand(1);
  int exit_code = 0;
  yolod::tools::add_predict(app, exit_code);
  yolod::tools::add_infer(app, exit_code);
  yolod::tools::add_eval(app, exit_code);
  yolod::tools::add_export(app, exit_code);
  yolod::tools::add_info(app, exit_code);
  auto* bench = app.add_subcommand("bench");
  bench->require_subcommand(1);
  yolod::tools::add_bench_model(*bench, exit_code);
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
