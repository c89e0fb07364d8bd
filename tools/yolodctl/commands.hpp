// yolodctl's subcommands. Each add_*() hangs one subcommand on `app` (or on its subcommand `bench`); when the command
// line names it, its callback runs it and leaves the process's exit code in `exit_code` (0 done, 1 could not, 2 a bad
// command line).
#pragma once

#include <CLI/App.hpp>

namespace yolod::tools {

void add_status(CLI::App& app, int& exit_code);
void add_bench_server(CLI::App& bench, int& exit_code);
#if defined(YOLOD_WITH_TORCH)
void add_predict(CLI::App& app, int& exit_code);
void add_infer(CLI::App& app, int& exit_code);
void add_eval(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);
void add_bench_model(CLI::App& bench, int& exit_code);
void add_info(CLI::App& app, int& exit_code);
#endif

}  // namespace yolod::tools
