// Reading what may crash or never end: LibTorch on a TorchScript file. The yolodctl that started this process makes one
// clear line of it (trial_report.hpp).
#pragma once

#include <chrono>
#include <filesystem>

namespace yolod::tools {

// This process dies with the yolodctl that started it, leaves no core, and begins without a trial. Called first in
// main(), by the only thread that is ours. Without such a parent it does nothing.
void follow_parent();

// From here on `file` is what a crash is put down to, and SIGALRM ends this process after `limit`, until end_trial().
void begin_trial(const std::filesystem::path& file, std::chrono::milliseconds limit);
void end_trial();

}  // namespace yolod::tools
