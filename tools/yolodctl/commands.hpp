// yolodctl's subcommands. Each add_*() hangs one subcommand on `app`; when the command line names it, its callback
// runs it and leaves the process's exit code in `exit_code` (0 done, 1 could not, 2 a bad command line).
#pragma once

#include <CLI/App.hpp>

namespace yolod::tools {

void add_status(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);  // bench server
#if defined(YOLOD_WITH_TORCH)
void add_predict(CLI::App& app, int& exit_code);
void add_infer(CLI::App& app, int& exit_code);
void add_info(CLI::App& app, int& exit_code);
#endif

}  // namespace yolod::tools
