// A real yolod with its workers, for one test: its config and log live in a folder of its own; destruction kills and
// reaps all of it, and fails the test for whatever does not go with its front-end. Where the test has failed by then,
// the log is printed.
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

// How a process ended.
struct Exit {
  bool by_signal{false};
  int value{0};  // exit code or signal
  friend bool operator==(const Exit&, const Exit&) = default;
};
[[nodiscard]] constexpr Exit exited(int code) { return {false, code}; }
[[nodiscard]] constexpr Exit killed_by(int signal) { return {true, signal}; }
std::ostream& operator<<(std::ostream& stream, const Exit& exit);
std::ostream& operator<<(std::ostream& stream, const std::optional<Exit>& exit);

// Of one worker, from /status.
struct WorkerStatus {
  std::string model;
  pid_t pid{0};
  std::string state;  // starting loading ready busy draining dead
  int generation{0};
  int restarts{0};

  // Loaded, and not on its way out.
  [[nodiscard]] bool serves() const { return state == "ready" || state == "busy"; }
};

struct ServerOptions {
  std::string config;                                          // system.yaml
  std::vector<std::string> arguments;                          // after --config FILE
  std::vector<std::pair<__rlimit_resource_t, rlim_t>> limits;  // soft and hard
  std::function<void()> before_exec;                           // in the child: async-signal-safe calls only
  std::vector<std::string> without{};                          // variables that it is not to have
  std::vector<std::string> with{};                             // NAME=value that it is to have
  int listening_socket{-1};                                    // handed over as a service manager does
  bool own_process_group{false};                               // as a shell starts it: Ctrl-C is kill(-pid(), SIGINT)
};

// The build's folder, where yolod, yolod-worker and yolodctl lie: YOLOD_BIN_DIR, else where this test was built.
[[nodiscard]] std::filesystem::path binary_directory();

// The environment of the programs under test: ours, with the sanitizers told to leave fatal signals to the kernel, and
// OpenMP's threads not to spin, since other tests want the cores.
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

  // False as soon as the process is gone.
  [[nodiscard]] bool wait_until_listening(milliseconds deadline = kGenerous);
  // Every model has a ready worker (/readyz), and every worker that is configured serves.
  [[nodiscard]] bool wait_until_ready(milliseconds deadline = kGenerous);

  // All three after wait_until_listening().
  [[nodiscard]] std::uint16_t port() const { return endpoint_.port; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] std::string url() const;
  // Of the admin socket, where server.admin_listen is "auto".
  [[nodiscard]] Endpoint admin_endpoint() const;
  [[nodiscard]] std::string admin_url() const { return "unix:" + admin_endpoint().unix_path; }

  [[nodiscard]] boost::json::value status() const;  // null where it does not answer
  // Of GET /metrics: the sum of the samples of that name with these labels.
  [[nodiscard]] double metric(const std::string& name, const std::map<std::string, std::string>& labels = {}) const;
  [[nodiscard]] std::vector<WorkerStatus> workers() const;  // those that have a process
  [[nodiscard]] pid_t loader_pid() const;                   // of the first model; 0: none
  [[nodiscard]] std::vector<pid_t> worker_pids() const;     // of the workers that serve
  // Waits for a worker in that state; 0 if none came.
  [[nodiscard]] pid_t wait_for_worker_in(std::string_view state);
  // Waits until as many workers serve as before, none of them one of `gone`. A pid may have been given out again.
  [[nodiscard]] bool wait_until_replaced(const std::vector<pid_t>& gone);

  // What a reload will read: the old file until the new one is whole.
  void rewrite_config(const std::string& config);

  // Everything that it wrote to stderr and stdout.
  [[nodiscard]] std::string log() const;
  [[nodiscard]] std::vector<std::string> log_lines_with(std::string_view text) const;
  // The lines that tell of the death of that worker: there should be one.
  [[nodiscard]] std::vector<std::string> death_lines(pid_t worker) const;

  void send_signal(int signal) const;
  [[nodiscard]] bool running();
  // Nothing if it still runs at the deadline. Any number of times.
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

// When a server of this process was last told to stop by send_signal(): what is sent after that may be closed unread.
// The clock's epoch where none was.
[[nodiscard]] Clock::time_point last_told_to_stop();

// Children that this process has been given because their parent died before them: workers that outlived their
// front-end. What the test itself has started is not among them. Zombies are reaped and not counted.
[[nodiscard]] std::vector<pid_t> orphans();

// A child that the test itself has started, and that it will reap.
void begin_child(pid_t pid);
void end_child(pid_t pid);

}  // namespace yolod::tests
