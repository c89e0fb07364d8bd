#include "tests/support/program.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace yolod::tests {
namespace {

std::vector<char*> null_ended(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Program::Program(std::vector<std::string> arguments)
    : output_(directory_.write("stdout", "")), errors_(directory_.write("stderr", "")) {
  if (arguments.at(0).find('/') == std::string::npos) arguments[0] = (binary_directory() / arguments[0]).string();
  auto environment = environment_for_programs();
  const auto argument_pointers = null_ended(arguments);
  const auto environment_pointers = null_ended(environment);
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ > 0) return;
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  ::dup2(::open(output_.c_str(), O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
  ::dup2(::open(errors_.c_str(), O_WRONLY | O_CLOEXEC), STDERR_FILENO);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::execve(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
  ::_exit(127);
}

Program::~Program() {
  if (exit_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::optional<Exit> Program::wait(milliseconds deadline) {
  int status = 0;
  if (!exit_ && wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, deadline))
    exit_ = WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
  return exit_;
}

}  // namespace yolod::tests
