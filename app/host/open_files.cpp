#include "app/host/open_files.hpp"

#include <algorithm>

namespace yolod::app::host {

rlimit raise_open_files() {
  rlimit given{};
  getrlimit(RLIMIT_NOFILE, &given);
  rlimit raised = given;
  raised.rlim_cur = raised.rlim_max;
  setrlimit(RLIMIT_NOFILE, &raised);
  return given;
}

std::size_t connections_within(rlim_t open_files, std::uint64_t workers, std::size_t reserved, std::size_t wanted) {
  constexpr rlim_t kOwnDescriptors = 64;
  constexpr rlim_t kPerWorker = 8;
  const rlim_t others = kOwnDescriptors + reserved + 2 * kPerWorker * workers;
  const rlim_t left = open_files > others ? open_files - others : 1;
  return std::min<rlim_t>(left, wanted);
}

}  // namespace yolod::app::host
