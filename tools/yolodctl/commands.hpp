// The subcommands of yolodctl. Each add_*() adds a subcommand to `app` (or to its subcommand `bench`). If the command
// line names it, its callback runs it and stores the process's exit code in `exit_code`: 0 for success, 1 for
// failure, 2 for a bad command line.
#pragma once

#include <CLI/App.hpp>
#include <array>

namespace yolod::tools {

// The commands of the program yolodctl.
void add_status(CLI::App& app, int& exit_code);
void add_reload(CLI::App& app, int& exit_code);
void add_check_tls(CLI::App& app, int& exit_code);
void add_user(CLI::App& app, int& exit_code);
void add_key(CLI::App& app, int& exit_code);
void add_label_check(CLI::App& app, int& exit_code);
void add_watch(CLI::App& app, int& exit_code);
void add_bench_server(CLI::App& bench, int& exit_code);

// The commands of the program yolodctl-model.
void add_predict(CLI::App& app, int& exit_code);
void add_infer(CLI::App& app, int& exit_code);
void add_eval(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);
void add_info(CLI::App& app, int& exit_code);
void add_bench_model(CLI::App& bench, int& exit_code);

// The names and help texts of these commands, for both programs.
struct CommandName {
  const char* name;
  const char* purpose;
};
inline constexpr CommandName kPredict{"predict",
                                      "detect objects in image files, classify them, or make pictures of them"};
inline constexpr CommandName kInfer{"infer", "run a network on a tensor: the raw decoded head"};
inline constexpr CommandName kEval{"eval", "measure a detector's average precision on labelled pictures"};
inline constexpr CommandName kExport{"export", "write a network as a TorchScript file, or its weights for Darknet"};
inline constexpr CommandName kInfo{
    "info", "show the layers of a Darknet network (--weights is optional), or the facts about a TorchScript file"};
inline constexpr CommandName kBenchModel{"model", "Run a network's forward pass in this process and time it"};
inline constexpr std::array kModelCommands{kPredict, kInfer, kEval, kExport, kInfo};

}  // namespace yolod::tools
