// These tests count the allocations of a request in a warm server. A whole front-end runs in a process that counts
// every malloc, and one client sends nothing but requests.
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "app/host/block_signals.hpp"
#include "app/host/service_manager.hpp"
#include "app/serve.hpp"
#include "common/config/schema.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

// The counter is in memory that both processes share. It is null in a process that does not count.
std::atomic<std::uint64_t>* counter = nullptr;

void count_one() {
  if (counter != nullptr) counter->fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

// glibc lets a program replace malloc. This replacement counts the calls and then calls glibc's own.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) {
  count_one();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  count_one();
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  count_one();
  return __libc_realloc(old, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  count_one();
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count_one();
  return __libc_memalign(alignment, bytes);
}
}

namespace yolod::tests {
namespace {

// Runs the front-end in a child process.
class CountedServer {
 public:
  explicit CountedServer(const TemporaryDirectory& directory)
      : socket_(directory.path() / "http.sock"),
        counted_(static_cast<std::atomic<std::uint64_t>*>(mmap(
            nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    const auto config = directory.write("system.yaml", "server: {listen: [\"unix:" + socket_ +
                                                           "\"]}\nmodels: [{name: echo, workers: 1, identity: {}}]\n");
    pid_ = fork();
    if (pid_ == 0) _exit(serve(config));
  }
  ~CountedServer() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    munmap(counted_, sizeof *counted_);
  }
  CountedServer(const CountedServer&) = delete;
  CountedServer& operator=(const CountedServer&) = delete;

  [[nodiscard]] const std::string& socket() const { return socket_; }
  [[nodiscard]] std::uint64_t allocations() const { return counted_->load(); }

 private:
  int serve(const std::filesystem::path& file) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    app::host::block_front_end_signals();
    const auto loaded = common::load_config(file);
    if (!loaded.config) return 2;
    rlimit open_files{};
    getrlimit(RLIMIT_NOFILE, &open_files);
    app::host::ServiceManager manager;
    counter = counted_;
    return app::serve(
        *loaded.config, [] { return std::nullopt; }, app::RunMode::kServe, manager, open_files);
  }

  std::string socket_;
  std::atomic<std::uint64_t>* counted_;
  pid_t pid_{-1};
};

class Client {
 public:
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Returns whether the answer is a 200. The answer must be short.
  [[nodiscard]] bool ask(std::string_view request) const {
    if (!connected_) return false;
    while (!request.empty()) {
      const auto sent = send(fd_, request.data(), request.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      request.remove_prefix(static_cast<std::size_t>(sent));
    }
    char answer[2048];
    const auto received = recv(fd_, answer, sizeof answer, 0);
    return received > 0 && std::string_view(answer, static_cast<std::size_t>(received)).starts_with("HTTP/1.1 200 OK");
  }

 private:
  int fd_;
  bool connected_{false};
};

// Returns the allocations of one request: the lowest of many short measurements, because the front-end's housekeeping
// falls into some of them.
double allocations_of(std::string_view request) {
  constexpr int kWarmUp = 300;
  constexpr int kStretches = 20;
  constexpr int kRequests = 30;
  const TemporaryDirectory directory;
  const CountedServer server(directory);
  REQUIRE(wait_until([&] { return Client(server.socket()).ask("GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n"); }));
  const Client client(server.socket());
  for (int i = 0; i < kWarmUp; ++i) REQUIRE(client.ask(request));
  std::uint64_t least = UINT64_MAX;
  for (int stretch = 0; stretch < kStretches; ++stretch) {
    const auto before = server.allocations();
    for (int i = 0; i < kRequests; ++i) {
      if (!client.ask(request)) FAIL("no answer");
    }
    least = std::min(least, server.allocations() - before);
  }
  return static_cast<double>(least) / kRequests;
}

TEST_CASE("Allocations: a request that needs no model allocates nothing", "[process]") {
  CHECK(allocations_of("GET /healthz HTTP/1.1\r\nHost: h\r\nUser-Agent: a client with a name\r\nAccept: */*\r\n\r\n") ==
        0);
}

TEST_CASE("Allocations: the connection's part of a prediction allocates nothing", "[process]") {
  // The scheduler's share: the request, its handler, its batch and the result that is copied out of the lane.
  constexpr double kSchedulers = 0;
  const std::string body(100'000, 'x');
  CHECK(allocations_of("POST /predict?model=echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/octet-stream\r\n"
                       "X-Request-Id: f47ac10b-58cc-4372-a567-0e02b2c3d479\r\nContent-Length: 100000\r\n\r\n" +
                       body) <= kSchedulers);
}

}  // namespace
}  // namespace yolod::tests
