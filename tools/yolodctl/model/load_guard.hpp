// Guards code that may crash or never end: LibTorch's reading of a TorchScript file. The yolodctl that started this
// process reports a crash as one clear line (load_report.hpp).
#pragma once

#include <chrono>
#include <filesystem>

namespace yolod::tools {

// From now on this process dies with the yolodctl that started it. main() calls it first, while the process has no
// other thread of yolod. Without such a parent it does nothing.
void follow_parent();

// Until end_guarded_load(), the parent attributes a crash to `file`, and SIGALRM ends this process after `limit`. The
// process writes no core dump any more.
void begin_guarded_load(const std::filesystem::path& file, std::chrono::milliseconds limit);
void end_guarded_load();

}  // namespace yolod::tools
