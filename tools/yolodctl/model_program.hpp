// Starts yolodctl-model, the program that computes with models.
#pragma once

#include <string_view>

namespace yolod::tools {

// Runs yolodctl-model with main()'s arguments in a child process, waits for it and returns its exit code. If LibTorch
// crashes, or a load does not end, it prints one line with the file's name to stderr and returns 1. If a signal from
// outside (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE) ends the child, it ends this process in the same way. REQUIRES:
// the process has one thread. `thread_wait` is a value of common/config/worker_threads.hpp; the environment overrides
// it.
[[nodiscard]] int run_model_program(char* const* arguments, std::string_view thread_wait);

}  // namespace yolod::tools
