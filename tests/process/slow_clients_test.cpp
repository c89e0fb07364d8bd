// Fault cases 26, 31, 32 and 33: slow or endless clients, and a slow reader of the log.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/load.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

// A client whose thread sends `text` in small pieces until all is sent or an answer comes, and then reads the answer.
class Dripper {
 public:
  Dripper(const Endpoint& endpoint, const std::string& text, std::size_t piece, milliseconds pause)
      : client_(endpoint), thread_([this, text, piece, pause] { run(text, piece, pause); }) {}
  ~Dripper() { thread_.join(); }
  Dripper(const Dripper&) = delete;
  Dripper& operator=(const Dripper&) = delete;

  [[nodiscard]] bool finished() const { return finished_; }
  // Call these three only after finished() returns true.
  [[nodiscard]] const Answer& answer() const { return answer_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] milliseconds took() const { return took_; }

 private:
  void run(std::string_view text, std::size_t piece, milliseconds pause) {
    const auto began = Clock::now();
    if (client_.connect()) {
      for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
        if (client_.has_unread_bytes() || !client_.write(text.substr(0, piece))) break;
        std::this_thread::sleep_for(pause);
      }
      answer_ = client_.read_answer();
      took_ = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
      closed_ = client_.wait_for_close();
    }
    finished_ = true;
  }

  HttpClient client_;
  Answer answer_;
  bool closed_{false};
  milliseconds took_{0};
  std::atomic<bool> finished_{false};
  std::thread thread_;  // the last member, because it uses all above
};

// Checks that other clients are served until the slow client has finished.
void check_others_are_served(const Server& server, const Dripper& slow) {
  const auto body = random_body(1000, 1);
  int served = 0;
  CHECK(wait_until([&] {
    const bool over = slow.finished();
    CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
    ++served;
    return over;
  }));
  CHECK(served >= 10);
}

// Checks that the slow client gets a 408 soon after that time, not before, and a closed connection, and that others
// are served meanwhile.
void check_refused_as_too_slow(const Server& server, const Dripper& slow, milliseconds after) {
  check_others_are_served(server, slow);
  REQUIRE(slow.finished());
  CAPTURE(slow.answer());
  CHECK(slow.answer().status == 408);
  CHECK(slow.answer().error_code() == "request_timeout");
  CHECK(slow.took() >= after);
  CHECK(slow.took() < after + kGenerous);
  CHECK(slow.closed());
}

// A client that never reads, on a connection whose buffers hold few bytes.
class DeafClient {
 public:
  explicit DeafClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int bytes = 4096;
    REQUIRE(::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  // Sends as much as there is room for now, and returns that many bytes.
  std::size_t send(std::string_view text) const {
    const auto sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  // Returns whether the peer has reset the connection.
  [[nodiscard]] bool cut_off() const {
    pollfd item{socket_.get(), 0, 0};
    return ::poll(&item, 1, 0) == 1 && (item.revents & (POLLERR | POLLHUP)) != 0;
  }

 private:
  common::UniqueFd socket_;
};

double arena_bytes(const Server& server, const char* kind) {
  return server.metric("yolod_arena_bytes", {{"kind", kind}});
}

}  // namespace

TEST_CASE("SlowClients: a header that does not end in time is answered 408 and closed, and others are served",
          "[process][case26]") {
  constexpr milliseconds kTimeout{2'000};
  Server server(identity_config({{.workers = 1}}, {"header_timeout: 2s"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const std::string text =
      GENERATE(as<std::string>{}, "POST /predict HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\nX-Endless: ");
  {
    const Dripper slow(server.endpoint(), text + std::string(10'000, 'x'), 1, 20ms);
    check_refused_as_too_slow(server, slow, kTimeout);
  }
  check_after_case(server, before);
}

TEST_CASE("SlowClients: a body slower than 16 KiB/s is answered 408 after two seconds", "[process][case26]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    const Dripper slow(server.endpoint(),
                       "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + std::string(50'000, 'x'),
                       1, 5ms);
    check_refused_as_too_slow(server, slow, 2s);
  }
  check_after_case(server, before);
}

TEST_CASE("SlowClients: a body that is fast enough, but not complete after body_timeout, is answered 408",
          "[process][case26]") {
  // The timeout is longer than the two seconds after which the server checks the rate.
  constexpr milliseconds kTimeout{4'000};
  Server server(identity_config({{.workers = 1}}, {"body_timeout: 4s"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    // The body is chunked, so that no declared length demands a higher rate.
    constexpr std::size_t kBytes = 10'000'000;
    const auto request = serialise({"POST", "/predict", {}, std::string(kBytes, 'x'), 10'000});
    const Dripper slow(server.endpoint(), request, 4000, 20ms);  // ten times the lowest allowed rate
    check_refused_as_too_slow(server, slow, kTimeout);
  }
  check_after_case(server, before);
}

TEST_CASE("SlowClients: a body whose length cannot come within body_timeout is answered 408 long before it",
          "[process][case26][case37]") {
  Server server(identity_config({{.workers = 1}}));  // body_timeout is 30 s
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    // The client sends 16 MiB at 17 kB/s.
    const auto request =
        "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 16777200\r\n\r\n" + std::string(1'000'000, 'x');
    const Dripper slow(server.endpoint(), request, 1700, 100ms);
    check_refused_as_too_slow(server, slow, 2s);
    CHECK(slow.took() < scaled(4s));
  }
  check_after_case(server, before);
}

TEST_CASE("SlowClients: clients that declare much and send little or nothing do not stop others from being served",
          "[process][case31]") {
  // The arena has 64 MiB, and sixteen bodies of the largest size would take four times as much.
  Server server(identity_config({{.workers = 2, .delay = 2ms}}, {"max_body_bytes: 16MiB"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto used_before = arena_bytes(server, "used");  // the allocator's own bytes
  const auto half = arena_bytes(server, "total") / 2;
  {
    constexpr std::size_t kBody = 200'000;
    constexpr std::size_t kLoad = 4;
    constexpr std::size_t kGreedy = 16;
    constexpr std::size_t kTrickling = 100;
    std::vector<std::unique_ptr<HttpClient>> slow;
    for (std::size_t i = 0; i < kGreedy + kTrickling; ++i) {
      slow.push_back(std::make_unique<HttpClient>(server.endpoint()));
      REQUIRE(slow.back()->connect());
      const auto length = i < kGreedy ? std::size_t{16} << 20U : kBody;
      REQUIRE(slow.back()->write("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) +
                                 "\r\n\r\n"));
    }
    // One thread sends each connection 1 kB/s until all have their answers.
    std::atomic<std::size_t> answered{0};
    std::vector<Answer> answers(slow.size());
    std::jthread trickling([&] {
      std::vector<bool> has(slow.size());
      const auto end = Clock::now() + scaled(kGenerous);
      while (answered < slow.size() && Clock::now() < end) {
        const auto next = Clock::now() + 100ms;
        for (std::size_t i = 0; i < slow.size(); ++i) {
          if (has[i]) continue;
          has[i] = slow[i]->has_unread_bytes() || (i >= kGreedy && !slow[i]->write(std::string(100, 'x')));
          if (!has[i]) continue;
          answers[i] = slow[i]->read_answer();
          ++answered;
        }
        std::this_thread::sleep_until(next);
      }
    });
    const auto load_began = Clock::now();
    Load load(server.endpoint(), {.connection_count = kLoad, .body_bytes_max = kBody});
    CHECK(load.wait_for_answers(20));
    // The load ends long before the slow clients do.
    CHECK(Clock::now() - load_began < scaled(2s));
    double most_used = 0;
    CHECK(wait_until([&] {
      most_used = std::max(most_used, arena_bytes(server, "used"));
      return answered == slow.size();
    }));
    trickling.join();
    CHECK(load.wait_for_answers(20));
    const auto counts = load.stop();
    CHECK(counts.right == counts.answered);
    for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));
    // Complete bodies of the load do not count as unfinished.
    CHECK(most_used <= half + used_before + kLoad * kBody);
    CHECK(most_used > used_before);
    for (const auto& answer : answers) {
      CAPTURE(answer);
      CHECK(answer.status == 408);
    }
  }
  check_after_case(server, before);
  CHECK(wait_until([&] { return arena_bytes(server, "used") == used_before; }));
}

TEST_CASE("SlowClients: a client that never reads its answers is cut off after write_timeout, and blocks no worker",
          "[process][case32]") {
  constexpr milliseconds kTimeout{2'000};
  Server server(identity_config({{.workers = 1}}, {"write_timeout: 2s"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto used_before = arena_bytes(server, "used");
  {
    // The client requests answers of the worker, and pages, until the server's buffer for the connection is full as
    // well.
    std::string asked;
    const auto small = serialise({"POST", "/predict", {}, random_body(100, 3)});
    const auto page = serialise({"GET", "/", {}, {}});
    while (asked.size() < 2'000'000) asked += small + page;
    std::string_view rest = asked;
    const auto began = Clock::now();
    const DeafClient deaf(server.port());
    const auto body = random_body(10'000, 2);
    bool cut_off = false;
    int looks_without_bytes = 0;  // consecutive checks without new bytes
    int served = 0;
    CHECK(wait_until([&] {
      cut_off = deaf.cut_off();
      if (!cut_off) rest.remove_prefix(deaf.send(rest));
      // The only worker is free for other clients.
      CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
      ++served;
      looks_without_bytes = arena_bytes(server, "used") == used_before ? looks_without_bytes + 1 : 0;
      return cut_off;
    }));
    const auto took = Clock::now() - began;
    CHECK(took >= kTimeout);
    CHECK(took < kTimeout + kGenerous);
    CHECK(served > 10);
    CHECK(looks_without_bytes > 10);
    // The client's end of the connection is still open.
    CHECK(wait_until([&] { return descriptor_count(server.pid()) <= before.descriptors; }));
  }
  check_after_case(server, before);
}

TEST_CASE("SlowClients: a log that is never read does not stop the server, which later reports the dropped lines",
          "[process][case33]") {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const common::UniqueFd reader(ends[0]);
  common::UniqueFd writer(ends[1]);
  ServerOptions options;
  options.config = identity_config({{.workers = 1}}, {"listen: [127.0.0.1:0]"});
  options.config += "logging: {level: debug}\n";
  const int descriptor = writer.get();
  options.before_exec = [descriptor] { ::dup2(descriptor, STDERR_FILENO); };
  Server server(options);
  writer.reset();
  // The log goes to this pipe, so the test reads the pipe until the address is in it.
  std::string log;
  REQUIRE(wait_until([&] {
    char piece[4096];
    ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
    const auto got = ::read(reader.get(), piece, sizeof piece);
    if (got > 0) log.append(piece, static_cast<std::size_t>(got));
    return log.find("ready: every model can serve") != std::string::npos;
  }));
  const auto at = log.find("http://127.0.0.1:") + std::string("http://127.0.0.1:").size();
  Endpoint endpoint;
  endpoint.port = static_cast<std::uint16_t>(std::stoi(log.substr(at)));

  // Each config causes a hundred lines: in all far more than a pipe and the buffer hold.
  std::string broken = "models: [\n";
  for (int i = 0; i < 100; ++i)
    broken = "no_such_key_" + std::to_string(i) + ": " + std::string(50, 'x') + "\n" + broken;
  broken += "]\n";
  server.rewrite_config(broken);
  const auto body = random_body(100, 1);
  for (int round = 0; round < 50; ++round) {
    HttpClient client(endpoint);
    REQUIRE(HttpClient(server.admin_endpoint()).post("/reload", "").status == 500);
    const auto answer = client.post("/predict", body);
    REQUIRE(is_identity_answer(answer, body));
    // The workers write their log to the same pipe.
    if (round % 5 == 0) ::kill(answering_worker(answer), SIGKILL);
  }
  const auto asked_at = Clock::now();
  CHECK(is_identity_answer(HttpClient(endpoint).post("/predict", body), body));
  CHECK(Clock::now() - asked_at < scaled(2s));

  log.clear();
  constexpr std::string_view kDropped = " log lines were dropped here";
  CHECK(wait_until([&] {
    char piece[65536];
    const auto got = ::read(reader.get(), piece, sizeof piece);
    if (got > 0) log.append(piece, static_cast<std::size_t>(got));
    return log.find(kDropped) != std::string::npos;
  }));
  const auto count_ends = log.find(kDropped);
  REQUIRE(count_ends != std::string::npos);
  // The server wrote more than five thousand lines, and the pipe had room for one or two thousand.
  CHECK(std::stoi(log.substr(log.rfind(' ', count_ends - 1) + 1)) > 2'000);
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
}

}  // namespace yolod::tests
