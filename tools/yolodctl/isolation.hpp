// A process of its own for what may crash: LibTorch reading a TorchScript file.
#pragma once

#include <chrono>
#include <filesystem>

namespace yolod::tools {

// Executes this command anew in a child and returns in that child alone; here it waits, and ends as the child does. If
// a signal ended the child, that is one clear line about `file` and exit code 1. The child has `limit` for the load,
// until it calls end_trial(). To be called before anything was done or printed; in the child it does nothing but begin
// the trial.
void isolate(const std::filesystem::path& file, std::chrono::milliseconds limit);
void end_trial();

}  // namespace yolod::tools
