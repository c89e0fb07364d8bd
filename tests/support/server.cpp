#include "tests/support/server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "tests/support/failure_log.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/prometheus_text.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

constexpr const char* kLogName = "yolod.log";
constexpr const char* kRuntimeDirectory = "run";

std::set<pid_t>& own_children() {
  static std::set<pid_t> pids;
  return pids;
}

std::atomic<Clock::time_point> told_to_stop_at{};

bool stops(int signal) { return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGKILL; }

std::string list_of(const std::vector<pid_t>& pids) {
  std::string text;
  for (const pid_t pid : pids) {
    const auto info = process_info(pid);
    text += " " + std::to_string(pid) + (info ? " (" + info->name + ", " + info->state + ")" : "");
  }
  return text;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string text_of(const boost::json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(text->c_str(), text->size()) : std::string();
}

int number_of(const boost::json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<int>() : 0;
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Exit& exit) {
  return exit.by_signal ? stream << "killed by SIG" << ::sigabbrev_np(exit.value)
                        : stream << "exited with " << exit.value;
}

std::ostream& operator<<(std::ostream& stream, const std::optional<Exit>& exit) {
  return exit ? stream << *exit : stream << "still running";
}

std::filesystem::path binary_directory() {
  const char* folder = std::getenv("YOLOD_BIN_DIR");
  return folder != nullptr ? folder : YOLOD_TEST_BIN_DIR;
}

std::filesystem::path server_directory() {
  if (std::getenv("YOLOD_BIN_DIR") != nullptr || networks_are_used()) return binary_directory();
  return YOLOD_TEST_SERVER_DIR;
}

std::vector<std::string> environment_for_programs() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  const auto append = [&environment](const std::string& name, const std::string& value) {
    for (auto& entry : environment) {
      if (entry.starts_with(name + "=")) {
        entry += ":" + value;
        return;
      }
    }
    environment.push_back(name + "=" + value);
  };
  // The death of a worker by SIGSEGV must show as SIGSEGV.
  const std::string kernel_handles = "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_abort=0:handle_sigill=0";
  append("ASAN_OPTIONS", kernel_handles);
  append("UBSAN_OPTIONS", kernel_handles + ":print_stacktrace=1:halt_on_error=1");
  append("TSAN_OPTIONS", kernel_handles + ":halt_on_error=1");
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) environment.emplace_back("OMP_WAIT_POLICY=passive");
  return environment;
}

Server::Server(ServerOptions options) { start(options); }

Server::Server(const std::string& config) {
  ServerOptions options;
  options.config = config;
  start(options);
}

void Server::start(const ServerOptions& options) {
  // Orphans of a dead front-end become this process's children, where orphans() finds them.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto config = directory_.write("system.yaml", options.config);
  const common::UniqueFd log(
      ::open((directory_.path() / kLogName).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.valid()) throw std::system_error(errno, std::generic_category(), "open the log");
  std::vector<std::string> arguments{(server_directory() / "yolod").string(), "--config", config.string()};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  auto environment = environment_for_programs();
  for (const std::string& name : options.without) {
    std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(name + "="); });
  }
  // Each server has its own runtime directory, so that many can run side by side.
  std::erase_if(environment, [](const std::string& entry) { return entry.starts_with("RUNTIME_DIRECTORY="); });
  environment.insert(environment.end(), options.with.begin(), options.with.end());
  // The entry comes after those that the test asks for, because the first entry of a name counts.
  environment.push_back("RUNTIME_DIRECTORY=" + (directory_.path() / kRuntimeDirectory).string());
  // The child knows its pid only after the fork, and writes it there.
  constexpr std::string_view kListenPid = "LISTEN_PID=";
  if (options.listening_socket >= 0) {
    environment.insert(environment.end(), {"LISTEN_FDS=1", std::string(kListenPid) + "0000000000"});
  }
  const auto argument_pointers = pointers_to(arguments);
  const auto environment_pointers = pointers_to(environment);
  const char* const folder = directory_.path().c_str();

  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    // A test that is killed takes its server along.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(log.get(), STDOUT_FILENO);
    ::dup2(log.get(), STDERR_FILENO);
    if (options.own_process_group) ::setpgid(0, 0);
    ::signal(SIGPIPE, SIG_DFL);  // clients with TLS ignore it, and the server inherits that
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (::chdir(folder) != 0) ::_exit(126);
    for (const auto& [resource, value] : options.limits) {
      const rlimit limit{value, value};
      if (::setrlimit(resource, &limit) != 0) ::_exit(126);
    }
    if (options.listening_socket >= 0) {
      constexpr int kFirstHandedOver = 3;
      if (options.listening_socket == kFirstHandedOver) {
        ::fcntl(kFirstHandedOver, F_SETFD, 0);
      } else {
        ::dup2(options.listening_socket, kFirstHandedOver);
      }
      // Writes the decimal digits from the last to the first, then moves them to the front, because leading zeros
      // would mean octal.
      auto* const value = const_cast<char*>(environment_pointers[environment.size() - 1]) + kListenPid.size();
      auto* digit = value + std::strlen(value);
      for (auto rest = ::getpid(); rest != 0; rest /= 10) *--digit = static_cast<char>('0' + rest % 10);
      std::memmove(value, digit, std::strlen(digit) + 1);
    }
    if (options.before_exec) options.before_exec();
    ::execve(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
    constexpr std::string_view kFailed = "execve of yolod failed\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kFailed.data(), kFailed.size());
    ::_exit(127);
  }
  if (options.own_process_group) ::setpgid(pid_, pid_);
  begin_child(pid_);
  process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!process_.valid()) throw std::system_error(errno, std::generic_category(), "pidfd_open");
}

Server::~Server() {
  if (!exit_) {
    send_signal(SIGKILL);
    (void)wait_for_exit();
  }
  if (!wait_until([] { return orphans().empty(); })) {
    report_failure("these outlived their front-end:" + list_of(orphans()));
  }
  if (test_case_has_failed()) std::cerr << "---- the server's log:\n" << log() << "----\n";
  (void)wait_until([] {
    const auto left = orphans();
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    return left.empty();
  });
}

void Server::send_signal(int signal) const {
  if (stops(signal)) told_to_stop_at = Clock::now();
  ::syscall(SYS_pidfd_send_signal, process_.get(), signal, nullptr, 0);
}

bool Server::running() { return !wait_for_exit(0ms); }

std::optional<Exit> Server::wait_for_exit(milliseconds deadline) {
  if (exit_) return exit_;
  const auto end = Clock::now() + scaled(deadline);
  for (;;) {
    const auto left = std::max(0ms, std::chrono::ceil<milliseconds>(end - Clock::now()));
    pollfd item{process_.get(), POLLIN, 0};
    const int ready = ::poll(&item, 1, static_cast<int>(left.count()));
    if (ready > 0) break;
    if (ready == 0) return std::nullopt;
  }
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) throw std::system_error(errno, std::generic_category(), "waitpid");
  end_child(pid_);
  exit_ = WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
  return exit_;
}

bool Server::find_endpoint() {
  constexpr std::string_view kPrefix = "listening on ";
  const auto text = log();
  const auto at = text.find(kPrefix);
  const auto line_end = text.find('\n', at);
  if (at == std::string::npos || line_end == std::string::npos) return false;
  const auto url = text.substr(at + kPrefix.size(), line_end - at - kPrefix.size());
  constexpr std::string_view kTcp = "http://127.0.0.1:";
  constexpr std::string_view kUnix = "unix:";
  if (url.starts_with(kTcp)) {
    endpoint_.port = static_cast<std::uint16_t>(std::stoul(url.substr(kTcp.size())));
  } else if (url.starts_with(kUnix)) {
    endpoint_.unix_path = url.substr(kUnix.size(), url.find_first_of(" \t", kUnix.size()) - kUnix.size());
  } else {
    throw std::runtime_error("an address that this test cannot reach: " + url);
  }
  listening_ = true;
  return true;
}

bool Server::wait_until_listening(milliseconds deadline) {
  if (listening_) return true;
  return wait_until([this] { return find_endpoint() || !running(); }, deadline) && listening_;
}

bool Server::wait_until_ready(milliseconds deadline) {
  if (!wait_until_listening(deadline)) return false;
  const bool settled = wait_until(
      [this] {
        if (!running()) return true;
        HttpClient client(endpoint_);
        const auto answer = client.get("/readyz");
        const auto value = answer.json();
        const auto* root = value.if_object();
        const auto* models = root != nullptr && answer.status == 200 ? root->if_contains("models") : nullptr;
        const auto* entries = models != nullptr ? models->if_object() : nullptr;
        if (entries == nullptr) return false;
        return std::all_of(entries->begin(), entries->end(), [](const auto& entry) {
          const auto& model = entry.value().as_object();
          return number_of(model, "workers_ready") == number_of(model, "workers");
        });
      },
      deadline);
  return settled && running();
}

std::string Server::url() const {
  return endpoint_.unix_path.empty() ? "http://127.0.0.1:" + std::to_string(endpoint_.port)
                                     : "unix:" + endpoint_.unix_path;
}

Endpoint Server::admin_endpoint() const { return {0, (directory_.path() / kRuntimeDirectory / "admin.sock").string()}; }

boost::json::value Server::status() const {
  HttpClient client(endpoint_);
  const auto answer = client.get("/status");
  return answer.status == 200 ? answer.json() : boost::json::value{};
}

double Server::metric(const std::string& name, const std::map<std::string, std::string>& labels) const {
  HttpClient client(endpoint_);
  return parse_prometheus_text(client.get("/metrics").body).total(name, labels);
}

std::vector<WorkerStatus> Server::workers() const {
  std::vector<WorkerStatus> found;
  const auto value = status();
  const auto* root = value.if_object();
  if (root == nullptr) return found;
  for (const auto& model : root->at("models").as_array()) {
    for (const auto& entry : model.as_object().at("workers").as_array()) {
      const auto& worker = entry.as_object();
      WorkerStatus one;
      one.model = text_of(model.as_object(), "name");
      one.pid = number_of(worker, "pid");
      one.state = text_of(worker, "state");
      one.generation = number_of(worker, "generation");
      one.restarts = number_of(worker, "restarts");
      if (one.pid != 0) found.push_back(std::move(one));
    }
  }
  return found;
}

pid_t Server::loader_pid() const {
  const auto value = status();
  if (!value.is_object()) return 0;
  const auto& models = value.at("models").as_array();
  if (models.empty() || !models[0].as_object().contains("loader")) return 0;
  return number_of(models[0].at("loader").as_object(), "pid");
}

std::vector<pid_t> Server::worker_pids() const {
  std::vector<pid_t> pids;
  for (const auto& worker : workers()) {
    if (worker.serves()) pids.push_back(worker.pid);
  }
  return pids;
}

pid_t Server::wait_for_worker_in(std::string_view state) {
  pid_t found = 0;
  (void)wait_until([&] {
    for (const auto& worker : workers()) {
      if (worker.state == state) found = worker.pid;
    }
    return found != 0 || !running();
  });
  return found;
}

// Returns whether a later worker has that pid: the log names a death of that pid, and after it a worker that is
// ready.
bool Server::came_after_death(pid_t worker) const {
  const auto deaths = death_lines(worker);
  if (deaths.empty()) return false;
  const auto text = log();
  return text.find("worker " + std::to_string(worker) + " (", text.rfind(deaths.back()) + deaths.back().size()) !=
         std::string::npos;
}

bool Server::wait_until_replaced(const std::vector<pid_t>& gone) {
  const auto was_asked_for = [&gone](pid_t pid) { return std::find(gone.begin(), gone.end(), pid) != gone.end(); };
  // A worker is gone when no process has its pid, or when another process or a later worker has it.
  const auto is_there = [this](pid_t pid) {
    const auto info = process_info(pid);
    return info && info->parent == pid_ && !came_after_death(pid);
  };
  return wait_until([&] {
           if (std::any_of(gone.begin(), gone.end(), is_there)) return false;
           const auto now = workers();
           return !now.empty() && std::all_of(now.begin(), now.end(), [&](const WorkerStatus& worker) {
             return worker.serves() && (!was_asked_for(worker.pid) || came_after_death(worker.pid));
           });
         }) &&
         wait_until_ready();
}

void Server::rewrite_config(const std::string& config) {
  const auto written = directory_.write("system.yaml.next", config);
  std::filesystem::rename(written, directory_.path() / "system.yaml");
}

std::string Server::log() const { return read_file(directory_.path() / kLogName); }

std::vector<std::string> Server::log_lines_with(std::string_view text) const {
  std::vector<std::string> lines;
  std::istringstream stream(log());
  for (std::string line; std::getline(stream, line);) {
    if (line.find(text) != std::string::npos) lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> Server::death_lines(pid_t worker) const {
  auto lines = log_lines_with("worker " + std::to_string(worker) + " (");
  std::erase_if(lines, [](const std::string& line) {
    return line.find(") died") == std::string::npos && line.find(") exited") == std::string::npos;
  });
  return lines;
}

Clock::time_point last_told_to_stop() { return told_to_stop_at; }

void begin_child(pid_t pid) { own_children().insert(pid); }

void end_child(pid_t pid) { own_children().erase(pid); }

std::vector<pid_t> orphans() {
  std::vector<pid_t> found;
  for (const auto& child : children_of(::getpid())) {
    if (own_children().contains(child.pid)) continue;
    if (child.zombie()) {
      ::waitpid(child.pid, nullptr, WNOHANG);
    } else {
      found.push_back(child.pid);
    }
  }
  return found;
}

}  // namespace yolod::tests
