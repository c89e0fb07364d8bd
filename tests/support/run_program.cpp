#include "tests/support/run_program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace yolod::tests {

ProgramResult run_program(std::vector<std::string> arguments, milliseconds deadline) {
  const TemporaryDirectory directory;
  const auto output = directory.write("stdout", "");
  const auto errors = directory.write("stderr", "");
  if (arguments.at(0).find('/') == std::string::npos) arguments[0] = (binary_directory() / arguments[0]).string();
  auto environment = environment_for_programs();
  std::vector<char*> argument_pointers;
  for (auto& argument : arguments) argument_pointers.push_back(argument.data());
  argument_pointers.push_back(nullptr);
  std::vector<char*> environment_pointers;
  for (auto& entry : environment) environment_pointers.push_back(entry.data());
  environment_pointers.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) {
    ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    ::dup2(::open(output.c_str(), O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    ::dup2(::open(errors.c_str(), O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::execve(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
    ::_exit(127);
  }
  int status = 0;
  const bool ended = wait_until([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }, deadline);
  if (!ended) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
  }
  ProgramResult result;
  if (ended) result.exit = WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
  result.output = read_file(output);
  result.errors = read_file(errors);
  return result;
}

}  // namespace yolod::tests
