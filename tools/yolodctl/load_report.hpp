// The report that yolodctl-model sends to the yolodctl that started it, through a pipe: the file that LibTorch is
// about to read. Only the child writes, in one call (a report is smaller than PIPE_BUF); the last report counts.
#pragma once

#include <limits.h>

#include <array>

namespace yolod::tools {

// The environment variables for the pipe's descriptor and the pid of the waiting process.
inline constexpr const char* kLoadReports = "YOLODCTL_LOAD_REPORTS";
inline constexpr const char* kLoadParent = "YOLODCTL_LOAD_PARENT";

struct LoadReport {
  bool loading;
  long long limit_ms;
  std::array<char, 4000> file;  // ends with '\0'; a longer name is truncated
};
static_assert(sizeof(LoadReport) <= PIPE_BUF);

}  // namespace yolod::tools
