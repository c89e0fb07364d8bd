#include "tools/yolodctl/model/load_guard.hpp"

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
#include "tools/yolodctl/load_report.hpp"

namespace yolod::tools {
namespace {

common::UniqueFd g_reports;

// An uncaught exception and abort() would both print more than one line.
[[noreturn]] void end_quietly() {
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
  std::_Exit(1);
}

void send(const LoadReport& report) {
  if (g_reports.valid()) static_cast<void>(!write(g_reports.get(), &report, sizeof report));
}

}  // namespace

void follow_parent() {
  const char* parent = std::getenv(kLoadParent);
  const char* reports = std::getenv(kLoadReports);
  if (parent == nullptr || reports == nullptr) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (std::to_string(getppid()) != parent) std::_Exit(1);  // the parent has ended
  g_reports.reset(std::atoi(reports));
  fcntl(g_reports.get(), F_SETFD, FD_CLOEXEC);
  unsetenv(kLoadParent);
  unsetenv(kLoadReports);
}

void begin_guarded_load(const std::filesystem::path& file, std::chrono::milliseconds limit) {
  LoadReport report{};
  report.loading = true;
  report.limit_ms = limit.count();
  const auto& name = file.native();
  std::copy_n(name.begin(), std::min(name.size(), report.file.size() - 1), report.file.begin());
  send(report);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  std::set_terminate(end_quietly);
  // settings that are concluded from the file are logged there
  static_cast<void>(common::configure_log({}, "yolodctl"));
  alarm(static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(limit).count()));
}

void end_guarded_load() {
  alarm(0);
  send({});
}

}  // namespace yolod::tools
