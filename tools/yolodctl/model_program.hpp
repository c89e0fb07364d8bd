// The other program of the command line: yolodctl-model, which computes with models.
#pragma once

namespace yolod::tools {

// Runs yolodctl-model with these arguments (as main() got them) in a child process, waits for it and returns its exit
// code. A crash of LibTorch's, or a load without end, is then one line on stderr that names the file, and 1; what was
// stopped from outside (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE) ends this process in the same way. To be called by
// the only thread.
[[nodiscard]] int run_model_program(char* const* arguments);

}  // namespace yolod::tools
