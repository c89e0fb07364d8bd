// Reading what may crash or never end: LibTorch on a TorchScript file. The yolodctl that started this process makes one
// clear line of it (trial_report.hpp).
#pragma once

#include <chrono>
#include <filesystem>

namespace yolod::tools {

// From here on this process dies with the yolodctl that started it. Called first in main(), by the only thread that is
// ours. Without such a parent it does nothing.
void follow_parent();

// Until end_trial() a crash is put down to `file`, and SIGALRM ends this process after `limit`. It leaves no core any
// more.
void begin_trial(const std::filesystem::path& file, std::chrono::milliseconds limit);
void end_trial();

}  // namespace yolod::tools
