// The other program of the command line: yolodctl-model, which computes with models.
#pragma once

#include <string_view>

namespace yolod::tools {

// Runs yolodctl-model with these arguments (as main() got them) in a child process, waits for it and returns its exit
// code. A crash of LibTorch's, or a load without end, is then one line on stderr that names the file, and 1; what was
// stopped from outside (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE) ends this process in the same way. To be called by
// the only thread. `thread_wait` is one of common/config/worker_threads.hpp; the environment may say otherwise.
[[nodiscard]] int run_model_program(char* const* arguments, std::string_view thread_wait);

}  // namespace yolod::tools
