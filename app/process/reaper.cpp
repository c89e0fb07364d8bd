#include "app/process/reaper.hpp"

#include <sys/wait.h>

#include <cerrno>

namespace yolod::app::process {

bool reap_children(const std::function<void(pid_t, const Death&)>& each) {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid > 0) {
      each(pid, Death::from_wait_status(status));
    } else if (pid == 0) {
      return true;
    } else if (errno != EINTR) {
      return false;  // ECHILD
    }
  }
}

bool is_stopped(pid_t pid) {
  siginfo_t found{};
  return waitid(P_PID, static_cast<id_t>(pid), &found, WSTOPPED | WNOHANG | WNOWAIT) == 0 && found.si_pid == pid;
}

bool is_child(pid_t pid) {
  siginfo_t unused{};
  return waitid(P_PID, static_cast<id_t>(pid), &unused, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace yolod::app::process
