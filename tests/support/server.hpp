// A real yolod with its workers, for one test. Its config and log are in a temporary folder. The destructor kills and
// reaps all its processes, and fails the test for each that does not exit with the front-end. It prints the log if
// the test has failed by then.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/unique_fd.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

// The way in which a process ended.
struct Exit {
  bool by_signal{false};
  int value{0};  // exit code or signal
  friend bool operator==(const Exit&, const Exit&) = default;
};
[[nodiscard]] constexpr Exit exited(int code) { return {false, code}; }
[[nodiscard]] constexpr Exit killed_by(int signal) { return {true, signal}; }
std::ostream& operator<<(std::ostream& stream, const Exit& exit);
std::ostream& operator<<(std::ostream& stream, const std::optional<Exit>& exit);

// The status of a worker, from /status.
struct WorkerStatus {
  std::string model;
  pid_t pid{0};
  std::string state;  // starting loading ready busy draining dead
  int generation{0};
  int restarts{0};

  // Returns whether the worker has loaded and is not leaving.
  [[nodiscard]] bool serves() const { return state == "ready" || state == "busy"; }
};

struct ServerOptions {
  std::string config;                                          // system.yaml
  std::vector<std::string> arguments;                          // after --config FILE
  std::vector<std::pair<__rlimit_resource_t, rlim_t>> limits;  // soft and hard
  std::function<void()> before_exec;                           // runs in the child: async-signal-safe calls only
  std::vector<std::string> without{};                          // names to remove from the environment
  std::vector<std::string> with{};                             // NAME=value entries to add to the environment
  int listening_socket{-1};                                    // passed on as a service manager does
  bool own_process_group{false};                               // as a shell does: Ctrl-C is kill(-pid(), SIGINT)
};

// Returns the build's folder with yolod, yolod-worker and yolodctl: YOLOD_BIN_DIR, or else the folder where this test
// was built.
[[nodiscard]] std::filesystem::path binary_directory();

// Returns the folder with the yolod that Server starts. Its workers have no LibTorch, and so start in a tenth of the
// time, unless networks_are_used() or YOLOD_BIN_DIR is set: then it is binary_directory().
[[nodiscard]] std::filesystem::path server_directory();

// Returns the environment for the programs under test. In addition to this process's environment, it tells sanitizers
// to leave fatal signals to the kernel, and OpenMP's threads not to spin, since other tests want the cores.
[[nodiscard]] std::vector<std::string> environment_for_programs();

class Server {
 public:
  explicit Server(ServerOptions options);
  explicit Server(const std::string& config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }

  // Returns false as soon as the process is gone.
  [[nodiscard]] bool wait_until_listening(milliseconds deadline = kGenerous);
  // Waits until every model has a ready worker (/readyz) and every configured worker serves.
  [[nodiscard]] bool wait_until_ready(milliseconds deadline = kGenerous);

  // Call these three only after wait_until_listening().
  [[nodiscard]] std::uint16_t port() const { return endpoint_.port; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] std::string url() const;
  // Returns the endpoint of the admin socket, if server.admin_listen is "auto".
  [[nodiscard]] Endpoint admin_endpoint() const;
  [[nodiscard]] std::string admin_url() const { return "unix:" + admin_endpoint().unix_path; }

  [[nodiscard]] boost::json::value status() const;  // null if the server does not answer
  // Reads GET /metrics and returns the sum of the samples of that name with these labels.
  [[nodiscard]] double metric(const std::string& name, const std::map<std::string, std::string>& labels = {}) const;
  [[nodiscard]] std::vector<WorkerStatus> workers() const;  // workers that have a process
  [[nodiscard]] pid_t loader_pid() const;                   // the loader of the first model; 0: none
  [[nodiscard]] std::vector<pid_t> worker_pids() const;     // workers that serve
  // Waits for a worker in that state. Returns 0 if none came.
  [[nodiscard]] pid_t wait_for_worker_in(std::string_view state);
  // Waits until as many workers serve as before, and none of `gone` is among them. The kernel may reuse a pid.
  [[nodiscard]] bool wait_until_replaced(const std::vector<pid_t>& gone);

  // Replaces the config for the next reload. Until the new file is complete, a reload reads the old file.
  void rewrite_config(const std::string& config);

  // Returns everything that the server wrote to stderr and stdout.
  [[nodiscard]] std::string log() const;
  [[nodiscard]] std::vector<std::string> log_lines_with(std::string_view text) const;
  // Returns the lines that report the death of that worker. There should be exactly one line.
  [[nodiscard]] std::vector<std::string> death_lines(pid_t worker) const;

  void send_signal(int signal) const;
  [[nodiscard]] bool running();
  // Returns nothing if the process still runs at the deadline. May be called any number of times.
  [[nodiscard]] std::optional<Exit> wait_for_exit(milliseconds deadline = kGenerous);

 private:
  void start(const ServerOptions& options);
  bool find_endpoint();
  [[nodiscard]] bool came_after_death(pid_t worker) const;

  TemporaryDirectory directory_;
  pid_t pid_{0};
  common::UniqueFd process_;  // pidfd
  Endpoint endpoint_;
  bool listening_{false};
  std::optional<Exit> exit_;
};

// Returns when send_signal() last told a server of this process to stop, or the clock's epoch if it never did. The
// server may close requests unread that are sent after that time.
[[nodiscard]] Clock::time_point last_told_to_stop();

// Returns the children that this process has adopted because their parent died before them: workers that outlived
// their front-end. Children that the test itself started are not among them. Zombies are reaped and not counted.
[[nodiscard]] std::vector<pid_t> orphans();

// Marks a child that the test itself has started and will reap.
void begin_child(pid_t pid);
void end_child(pid_t pid);

}  // namespace yolod::tests
