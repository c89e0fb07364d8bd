#include "tools/yolodctl/model/trial.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <string>

#include "common/log.hpp"
#include "common/unique_fd.hpp"
#include "tools/yolodctl/trial_report.hpp"

namespace yolod::tools {
namespace {

common::UniqueFd g_reports;

// An exception that nobody catches, and abort() itself, would print more than the one line.
[[noreturn]] void end_quietly() {
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
  std::_Exit(1);
}

void send(const TrialReport& report) {
  if (g_reports.valid()) static_cast<void>(!write(g_reports.get(), &report, sizeof report));
}

}  // namespace

void follow_parent() {
  const char* parent = std::getenv(kTrialParent);
  const char* reports = std::getenv(kTrialReports);
  if (parent == nullptr || reports == nullptr) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (std::to_string(getppid()) != parent) std::_Exit(1);  // nobody waits any more
  g_reports.reset(std::atoi(reports));
  fcntl(g_reports.get(), F_SETFD, FD_CLOEXEC);
  unsetenv(kTrialParent);
  unsetenv(kTrialReports);
}

void begin_trial(const std::filesystem::path& file, std::chrono::milliseconds limit) {
  TrialReport report{};
  report.loading = true;
  report.limit_ms = limit.count();
  const auto& name = file.native();
  std::copy_n(name.begin(), std::min(name.size(), report.file.size() - 1), report.file.begin());
  send(report);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  std::set_terminate(end_quietly);
  static_cast<void>(common::configure_log({}, "yolodctl"));  // what is concluded of the file is told there
  alarm(static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(limit).count()));
}

void end_trial() {
  alarm(0);
  send({});
}

}  // namespace yolod::tools
