// Fault cases 26, 31, 32 and 33: clients, and a reader of the log, that take their time or never come to an end.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

// Sends `text` a byte at a time, until it is all sent or the peer has closed.
void drip(HttpClient& client, const std::string& text, milliseconds pause, const std::atomic<bool>& over) {
  for (const char byte : text) {
    if (over || !client.write({&byte, 1})) return;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

TEST_CASE("SlowClients: a header that does not end in time is answered 408 and closed, and others are served",
          "[process][case26]") {
  Server server(identity_config({{.workers = 1}}, {"header_timeout: 500ms"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const std::string text =
      GENERATE(as<std::string>{}, "POST /predict HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\nX-Endless: ");
  std::atomic<bool> over{false};
  {
    HttpClient slow(server.endpoint());
    REQUIRE(slow.connect());
    std::thread dripping([&] { drip(slow, text + std::string(1000, 'x'), 20ms, over); });
    const auto body = random_body(1000, 1);
    for (int i = 0; i < 10; ++i) {
      CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
    }
    const auto answer = slow.read_answer();
    CHECK(answer.status == 408);
    CHECK(answer.error_code() == "request_timeout");
    over = true;
    dripping.join();
    CHECK(slow.wait_for_close());
  }
  check_after_case(server, before);
}

TEST_CASE("SlowClients: a body slower than 16 KiB/s is answered 408", "[process][case26]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    HttpClient slow(server.endpoint());
    REQUIRE(slow.connect());
    REQUIRE(slow.write("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
    std::atomic<bool> over{false};
    std::thread dripping([&] { drip(slow, std::string(2000, 'x'), 5ms, over); });
    const auto answer = slow.read_answer();
    CHECK(answer.status == 408);
    over = true;
    dripping.join();
  }
  check_after_case(server, before);
}

TEST_CASE("SlowClients: who declares much and sends nothing keeps nobody from being served", "[process][case31]") {
  // An arena of 64 MiB: sixteen bodies of the largest size would take four times as much.
  Server server(identity_config({{.workers = 2, .delay = 2ms}}, {"max_body_bytes: 16MiB"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    std::vector<std::unique_ptr<HttpClient>> greedy;
    for (int i = 0; i < 16; ++i) {
      greedy.push_back(std::make_unique<HttpClient>(server.endpoint()));
      REQUIRE(greedy.back()->connect());
      REQUIRE(greedy.back()->write("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 16777216\r\n\r\n"));
    }
    std::atomic<bool> over{false};
    std::vector<std::thread> trickling;
    for (int i = 0; i < 20; ++i) {
      trickling.emplace_back([&server, &over] {
        HttpClient client(server.endpoint());
        if (!client.connect()) return;
        if (!client.write("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n")) return;
        while (!over && client.write(std::string(100, 'x'))) std::this_thread::sleep_for(100ms);
      });
    }
    Load load(server.endpoint(), {.connection_count = 4, .body_bytes_max = 200'000});
    REQUIRE(load.wait_for_answers(100));
    CHECK(server.metric("yolod_arena_bytes", {{"kind", "used"}}) <=
          0.5 * server.metric("yolod_arena_bytes", {{"kind", "total"}}) + 4 * 200'000);
    for (const auto& client : greedy) {
      const auto answer = client->read_answer();
      CAPTURE(answer);
      CHECK((answer.status == 408 || answer.status == 503));
    }
    REQUIRE(load.wait_for_answers(100));
    const auto counts = load.stop();
    CHECK(counts.right == counts.answered);
    for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));
    over = true;
    for (auto& thread : trickling) thread.join();
  }
  check_after_case(server, before);
}

TEST_CASE("SlowClients: an answer that is never read is given up after write_timeout", "[process][case32]") {
  Server server(identity_config({{.workers = 1}}, {"write_timeout: 1s"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    HttpClient never_reads(server.endpoint());
    REQUIRE(never_reads.connect());
    // Pages, until both ends' buffers are full and the server is stuck in the middle of one.
    std::string many;
    for (int i = 0; i < 2000; ++i) many += serialise({"GET", "/", {}, {}});
    std::atomic<bool> written{false};
    std::thread writing([&] {
      (void)never_reads.write(many);
      written = true;
    });
    const auto body = random_body(10'000, 2);
    for (int i = 0; i < 20; ++i) {
      CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
    }
    // The server closes, so that the client's write ends.
    CHECK(wait_until([&] { return written.load(); }));
    writing.join();
  }
  check_after_case(server, before);
}

TEST_CASE("SlowClients: a log that nobody reads never stops the server, and says later what it dropped",
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
  // The address cannot be read from the log, which goes to the pipe: it is read here as far as it says so.
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

  // Each kill is some lines: far more of them than a pipe and the buffer hold.
  const auto body = random_body(100, 1);
  for (int round = 0; round < 600; ++round) {
    HttpClient client(endpoint);
    const auto answer = client.post("/predict", body);
    REQUIRE(is_identity_answer(answer, body));
    ::kill(answering_worker(answer), SIGKILL);
  }
  const auto asked_at = Clock::now();
  CHECK(is_identity_answer(HttpClient(endpoint).post("/predict", body), body));
  CHECK(Clock::now() - asked_at < scaled(2s));

  log.clear();
  CHECK(wait_until([&] {
    char piece[65536];
    const auto got = ::read(reader.get(), piece, sizeof piece);
    if (got > 0) log.append(piece, static_cast<std::size_t>(got));
    return log.find("dropped") != std::string::npos;
  }));
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
}

}  // namespace yolod::tests
