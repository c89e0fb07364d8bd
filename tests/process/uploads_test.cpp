// Fault case 37: uploads take as much time and room as the server allows, beside honest clients.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/access_server.hpp"
#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

constexpr std::size_t kLargeBody = 16'777'200;
constexpr milliseconds kTick{100};

// Runs clients that each upload `pace` bytes a second of an endless body. A client that is refused starts again at
// once.
class SlowUploads {
 public:
  SlowUploads(const Endpoint& endpoint, std::size_t count, std::string head, std::size_t pace)
      : head_(std::move(head)), piece_(pace / (1000 / static_cast<std::size_t>(kTick.count())), 'x') {
    for (std::size_t i = 0; i < count; ++i) clients_.push_back(std::make_unique<HttpClient>(endpoint));
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  // Returns the number of refusals so far, with 408 or 503.
  [[nodiscard]] std::size_t refused() const { return refused_; }
  // Returns the number of all other answers.
  [[nodiscard]] std::size_t odd() const { return odd_; }

 private:
  void run(const std::stop_token& stop) {
    std::vector<bool> begun(clients_.size());
    while (!stop.stop_requested()) {
      const auto next = Clock::now() + kTick;
      for (std::size_t i = 0; i < clients_.size(); ++i) {
        HttpClient& client = *clients_[i];
        if (begun[i] && client.has_unread_bytes()) {
          const auto status = client.read_answer().status;
          ++(status == 408 || status == 503 ? refused_ : odd_);
          client.close();
          begun[i] = false;
        }
        if (!begun[i]) begun[i] = client.connect() && client.write(head_);
        if (begun[i]) begun[i] = client.write(piece_);
        if (!begun[i]) client.close();
      }
      std::this_thread::sleep_until(next);
    }
  }

  const std::string head_;
  const std::string piece_;
  std::vector<std::unique_ptr<HttpClient>> clients_;
  std::atomic<std::size_t> refused_{0};
  std::atomic<std::size_t> odd_{0};
  std::jthread thread_;  // the last member, because it uses all above
};

std::string sized_head() {
  return "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kLargeBody) + "\r\n\r\n";
}
std::string chunked_head() {
  return "POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFF000\r\n";
}

struct Served {
  std::vector<milliseconds> times;
  std::vector<std::string> wrong;

  [[nodiscard]] milliseconds median() {
    std::sort(times.begin(), times.end());
    return times.empty() ? milliseconds(0) : times[times.size() / 2];
  }
};

// Returns the results of one client that posts for `duration`, one request after another.
Served post_for(const Server& server, milliseconds duration, std::size_t body_bytes, std::size_t chunk_bytes) {
  Served served;
  HttpClient client(server.endpoint());
  const auto end = Clock::now() + duration;
  for (std::uint64_t seed = 1; Clock::now() < end; ++seed) {
    const auto body = random_body(body_bytes, seed);
    const auto began = Clock::now();
    const auto answer = client.send({.method = "POST",
                                     .target = "/predict",
                                     .headers = {{"Content-Type", "application/octet-stream"}},
                                     .body = body,
                                     .chunk_bytes = chunk_bytes});
    served.times.push_back(std::chrono::duration_cast<milliseconds>(Clock::now() - began));
    if (!is_identity_answer(answer, body)) served.wrong.push_back(describe(answer));
    std::this_thread::sleep_for(20ms);
  }
  return served;
}

std::string config_with_arena(const std::string& arena) {
  auto config = identity_config({{.workers = 2}}, {"max_body_bytes: 16MiB"});
  const std::string usual = "input_arena: 64MiB";
  config.replace(config.find(usual), usual.size(), "input_arena: " + arena);
  return config;
}

}  // namespace

TEST_CASE("Uploads: nine large uploads at the lowest allowed pace and sixteen chunked uploads do not block others",
          "[process][case37]") {
  const std::string arena = GENERATE("64MiB", "256MiB");
  CAPTURE(arena);
  Server server(config_with_arena(arena));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    constexpr std::size_t kLeastPace = 17 * 1024;
    SlowUploads sized(server.endpoint(), 9, sized_head(), kLeastPace);
    SlowUploads chunked(server.endpoint(), 16, chunked_head(), kLeastPace);
    constexpr milliseconds kWatched{6'000};
    Served small;
    Served in_chunks;
    Served large;
    {
      const std::jthread first([&] { small = post_for(server, kWatched, 200'000, 0); });
      const std::jthread second([&] { in_chunks = post_for(server, kWatched, 150'000, 16'000); });
      const std::jthread third([&] { large = post_for(server, kWatched, 3'000'000, 0); });
    }
    for (auto* served : {&small, &in_chunks, &large}) {
      CHECK(served->wrong == std::vector<std::string>());
      CHECK(served->times.size() >= 5);
      CHECK(served->median() < scaled(500ms));
    }
    WARN("medians in ms: " << small.median().count() << " small, " << in_chunks.median().count() << " in chunks, "
                           << large.median().count() << " large; refused: " << sized.refused() << " sized, "
                           << chunked.refused() << " chunked");
    CHECK(sized.refused() >= 9);
    CHECK(sized.odd() == 0);
    CHECK(chunked.odd() == 0);
  }
  check_after_case(server, before);
}

TEST_CASE("Uploads: large uploads at the pace that body_timeout demands are served while no other request waits",
          "[process][case37]") {
  Server server(identity_config({{.workers = 1}}, {"max_body_bytes: 16MiB", "body_timeout: 6s"}));
  REQUIRE(server.wait_until_ready());
  const std::string body(8'000'000, 'y');
  const auto chunk = GENERATE(0, 100'000);
  const auto text = serialise({"POST", "/predict", {}, body, static_cast<std::size_t>(chunk)});
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  // The upload takes five seconds.
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(rest.size(), text.size() / 50))) {
    REQUIRE(client.write(rest.substr(0, text.size() / 50)));
    std::this_thread::sleep_for(100ms);
  }
  CHECK(is_identity_answer(client.read_answer(), body));
}

TEST_CASE("Uploads: an upload at the allowed pace is refused with 503 when others wait for its room",
          "[process][case37]") {
  // There is room for one body of that size at a time. 16 MiB in 30 s are 559 kB/s.
  Server server(config_with_arena("64MiB"));
  REQUIRE(server.wait_until_ready());
  HttpClient slow(server.endpoint());
  REQUIRE(slow.connect());
  REQUIRE(slow.write(sized_head()));
  std::jthread uploading([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && !slow.has_unread_bytes() && slow.write(std::string(80'000, 'x'))) {
      std::this_thread::sleep_for(kTick);
    }
  });
  std::this_thread::sleep_for(1s);
  const std::string body(kLargeBody, 'z');
  const auto began = Clock::now();
  CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
  CHECK(Clock::now() - began < scaled(3s));
  uploading.request_stop();
  uploading.join();
  const auto answer = slow.read_answer();
  CAPTURE(answer);
  CHECK(answer.status == 503);
  CHECK(answer.error_code() == "queue_full");
  CHECK(answer.has_header("Retry-After"));
}

namespace {

// Returns the head of a form, as a proxy forwards it for the client with that address.
std::string form_head(const std::string& client, std::size_t bytes) {
  return "POST /v1/vision/custom/echo HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + client +
         "\r\nContent-Type: multipart/form-data; boundary=xx\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
}

}  // namespace

TEST_CASE("Uploads: slow forms without a key from one network do not keep out the forms of another network",
          "[process][case37]") {
  const KeyFile file{{"ci", "good-key"}};
  // Forms whose key is not checked yet may hold 2 MiB, so there is room for one of these at a time.
  auto config =
      identity_config({{.workers = 1}}, {"max_body_bytes: 1MiB", "trusted_proxies: [127.0.0.1]", file.server_key()});
  const std::string usual = "input_arena: 64MiB";
  config.replace(config.find(usual), usual.size(), "input_arena: 16MiB");
  Server server(config);
  REQUIRE(server.wait_until_ready());
  constexpr std::size_t kBytes = 1'000'000;
  const SlowUploads slow(server.endpoint(), 12, form_head("203.0.113.1", kBytes), 40'000);
  std::string form =
      "--xx\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\ngood-key\r\n"
      "--xx\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n";
  const std::string end = "\r\n--xx--\r\n";
  form += std::string(kBytes - form.size() - end.size(), 'y') + end;
  milliseconds longest{0};
  for (int i = 0; i < 4; ++i) {
    std::this_thread::sleep_for(300ms);  // a slow form takes the room
    HttpClient client(server.endpoint());
    const auto began = Clock::now();
    REQUIRE(client.connect());
    (void)client.write(form_head("203.0.113.2", kBytes) + form);
    const auto answer = client.read_answer();
    longest = std::max(longest, std::chrono::duration_cast<milliseconds>(Clock::now() - began));
    CAPTURE(i, answer);
    CHECK(answer.status == 200);
  }
  CHECK(wait_until([&] { return slow.refused() >= 3; }));
  WARN("the longest form took " << longest.count() << " ms; refused: " << slow.refused() << " slow forms");
  CHECK(longest < scaled(3s));
  CHECK(slow.odd() == 0);
}

namespace {

// Requests that wait for the worker fill the arena with their bodies. For some seconds no other body of that size
// fits, and the server cannot refuse any of these to make room.
struct FullArena {
  static constexpr std::size_t kBody = 15'000'000;

  Server server{identity_config({{.workers = 1,
                                  .delay = scaled(1'500ms),
                                  .keys = {"batch: {max_size: 1}", "queue: {timeout: 10m}", "request_timeout: 10m"}}},
                                {"max_body_bytes: 16MiB"})};
  std::vector<std::unique_ptr<HttpClient>> clients;
  const std::string body = std::string(kBody, 'z');

  FullArena() {
    REQUIRE(server.wait_until_ready());
    for (int i = 0; i < 4; ++i) {
      clients.push_back(std::make_unique<HttpClient>(server.endpoint()));
      REQUIRE(clients.back()->connect());
      REQUIRE(clients.back()->write(serialise({"POST", "/predict", {}, body})));
      const auto full = static_cast<double>(kBody) * (i + 1);
      REQUIRE(wait_until([&] { return server.metric("yolod_arena_bytes", {{"kind", "used"}}) >= full; }));
    }
  }
  ~FullArena() {
    for (const auto& client : clients) CHECK(is_identity_answer(client->read_answer(), body));
  }
};

}  // namespace

TEST_CASE_METHOD(FullArena, "Uploads: a request that waits for room is refused at its own timeout",
                 "[process][waits]") {
  HttpClient waiting(server.endpoint());
  const auto began = Clock::now();
  REQUIRE(waiting.connect());
  (void)waiting.write("POST /predict HTTP/1.1\r\nHost: a\r\nX-Request-Timeout: 300\r\nContent-Length: " +
                      std::to_string(kBody) + "\r\n\r\nx");
  const auto answer = waiting.read_answer();
  CAPTURE(answer);
  CHECK(answer.status == 504);
  CHECK(answer.error_code() == "deadline_exceeded");
  CHECK(Clock::now() - began >= 300ms);
  CHECK(Clock::now() - began < scaled(1'200ms));
}

TEST_CASE_METHOD(FullArena,
                 "Uploads: a client that leaves while its request waits for room loses its place in the line",
                 "[process][waits]") {
  const auto connections = [this] { return server.metric("yolod_open_connections"); };
  const auto before = connections();
  std::vector<std::unique_ptr<HttpClient>> leaving;
  for (int i = 0; i < 3; ++i) {
    leaving.push_back(std::make_unique<HttpClient>(server.endpoint()));
    REQUIRE(leaving.back()->connect());
    (void)leaving.back()->write("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kBody) +
                                "\r\n\r\nx");
  }
  REQUIRE(wait_until([&] { return connections() == before + 3; }));
  const auto left_at = Clock::now();
  for (const auto& client : leaving) client->close();
  CHECK(wait_until([&] { return connections() == before; }));
  CHECK(Clock::now() - left_at < scaled(1'000ms));
}

}  // namespace yolod::tests
