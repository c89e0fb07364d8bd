// What yolodctl-model tells the yolodctl that started it, through a pipe: which file LibTorch is about to read. Written
// at once (it is smaller than PIPE_BUF), by the child alone; the last one counts.
#pragma once

#include <limits.h>

#include <array>

namespace yolod::tools {

// Environment variables: the pipe's descriptor, and the pid of the process that waits.
inline constexpr const char* kTrialReports = "YOLODCTL_TRIAL_REPORTS";
inline constexpr const char* kTrialParent = "YOLODCTL_TRIAL_PARENT";

struct TrialReport {
  bool loading;
  long long limit_ms;
  std::array<char, 4000> file;  // ends with '\0'; cut if it is longer
};
static_assert(sizeof(TrialReport) <= PIPE_BUF);

}  // namespace yolod::tools
