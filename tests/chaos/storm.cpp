#include "tests/chaos/storm.hpp"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::chaos {
namespace {

using tests::Clock;
using tests::HttpClient;
using tests::milliseconds;
using tests::Server;

class Storm {
 public:
  Storm(const StormOptions& options, Server& server) : options_(options), server_(server) {}

  void rage(const std::function<void(double)>& progress) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < options_.connections; ++i) threads.emplace_back([this, i] { post_on(i); });
    threads.emplace_back([this] { every(options_.kill_every, 1, [this](auto& random) { kill_one(random); }); });
    threads.emplace_back([this] { every(options_.reload_every, 2, [this](auto& random) { reload(random); }); });
    threads.emplace_back([this] { every(options_.poison_every, 3, [this](auto& random) { poison(random); }); });
    const auto begin = Clock::now();
    while (Clock::now() - begin < options_.duration) {
      std::this_thread::sleep_for(milliseconds(200));
      progress(std::chrono::duration<double>(Clock::now() - begin) / options_.duration);
    }
    over_ = true;
    for (auto& thread : threads) thread.join();
  }

  [[nodiscard]] Counts counts() const { return tally_.counts(); }

 private:
  using Random = std::mt19937_64;

  [[nodiscard]] Random random_of(std::uint64_t part) const {
    std::seed_seq seeds{options_.seed, part};
    return Random(seeds);
  }

  void every(milliseconds period, std::uint64_t part, const std::function<void(Random&)>& happen) {
    if (period.count() <= 0) return;
    Random random = random_of(1'000'000 + part);
    for (auto next = Clock::now() + period; !over_; next += period) {
      while (!over_ && Clock::now() < next) std::this_thread::sleep_for(milliseconds(10));
      if (!over_) happen(random);
    }
  }

  void post_on(std::size_t index) {
    Random random = random_of(index);
    HttpClient client(server_.endpoint());
    std::uint64_t seed = index * 1'000'000'000;
    while (!over_) {
      const auto body = tests::random_body(random() % 200'000, ++seed);
      const auto kind = random() % 100;
      if (kind < 2) {
        leave(random, body);
        continue;
      }
      tests::Request request{"POST", "/predict", {}, body};
      if (kind < 10) request.chunk_bytes = 1 + random() % 30'000;
      auto answer = client.send(request);
      if (answer.counts_as_not_sent()) answer = client.send(request);
      tally_.count(Expected::kRight, answer, body);
    }
  }

  // Sends some of a request, or all of it, and is gone.
  void leave(Random& random, const std::string& body) {
    HttpClient client(server_.endpoint());
    if (!client.connect()) return;
    const auto whole = tests::serialise({"POST", "/predict", {}, body});
    const auto sent = random() % 3 == 0 ? whole.size() : random() % whole.size();
    (void)client.write(std::string_view(whole).substr(0, sent));
    tally_.abandon();
  }

  void kill_one(Random& random) {
    constexpr std::uint64_t kLoaderOneIn = 20;
    if (random() % kLoaderOneIn == 0) {
      if (const auto loader = server_.loader_pid(); loader != 0) {
        ::kill(loader, SIGKILL);
        tally_.kill(true);
      }
      return;
    }
    const auto workers = server_.worker_pids();
    if (workers.empty()) return;
    ::kill(workers[random() % workers.size()], SIGKILL);
    tally_.kill(false);
  }

  void reload(Random& random) {
    constexpr std::uint64_t kBadOneIn = 4;
    const bool bad = random() % kBadOneIn == 0;
    server_.rewrite_config(bad ? broken_config(random) : config(options_));
    server_.send_signal(SIGHUP);
    tally_.reload(bad);
  }

  static std::string broken_config(Random& random) {
    if (random() % 2 == 0) return "models: [";
    return tests::identity_config({{.workers = 1, .load_fault = "crash"}});
  }

  void poison(Random& random) {
    const std::vector<std::string> kinds{"segv", "abort", "exit", "scribble", "hang"};
    const auto body = "FAULT:" + kinds[random() % kinds.size()] + " " + std::to_string(random());
    HttpClient client(server_.endpoint());
    for (int i = 0; i < 2; ++i) tally_.count(Expected::kPoison, client.post("/predict", body), body);
  }

 public:
  static std::string config(const StormOptions& options) {
    tests::IdentityModel model{.workers = options.workers, .delay = options.delay, .faults = true};
    // Whoever waits behind a worker that hangs waits as long; nobody is refused for that.
    model.keys = {"hang_timeout: 1s", "queue: {max_size: 1024, timeout: 30s}", "request_timeout: 60s"};
    return tests::identity_config({model});
  }

 private:
  const StormOptions options_;
  Server& server_;
  Tally tally_;
  std::atomic<bool> over_{false};
};

double arena_bytes_used(const Server& server) { return server.metric("yolod_arena_bytes", {{"kind", "used"}}); }

// What a server at rest had.
struct Rest {
  tests::Baseline baseline;
  double arena_bytes{0};  // the allocator's own
};

// What it has more of when it rests again.
std::vector<std::string> what_is_left(Server& server, const Rest& rest, int workers) {
  const auto& before = rest.baseline;
  std::vector<std::string> leaked;
  const auto settle = [&leaked](const std::string& what, const std::function<bool()>& settled) {
    if (!tests::wait_until(settled)) leaked.push_back(what);
  };
  settle("workers are missing, or too many", [&] {
    return server.workers().size() == static_cast<std::size_t>(workers) &&
           server.worker_pids().size() == static_cast<std::size_t>(workers);
  });
  settle("processes", [&] {
    const auto children = tests::children_of(server.pid());
    return children.size() == before.children &&
           std::none_of(children.begin(), children.end(), [](const auto& child) { return child.zombie(); });
  });
  settle("descriptors", [&] { return tests::descriptor_count(server.pid()) <= before.descriptors; });
  settle("mapped regions", [&] { return tests::mapping_count(server.pid(), "memfd:yolod") == before.regions; });
  settle("bytes of the arena", [&] { return arena_bytes_used(server) == rest.arena_bytes; });
  settle("names in /dev/shm", [&] { return tests::shared_memory_names() == before.shared_memory_names; });
  if (!tests::serves_next_request(server)) leaked.emplace_back("it does not serve the next request");
  if (!tests::orphans().empty()) leaked.emplace_back("orphaned processes");
  return leaked;
}

}  // namespace

StormResult run_storm(const StormOptions& options, const std::function<void(double)>& progress) {
  Server server(Storm::config(options));
  StormResult result;
  if (!server.wait_until_ready()) {
    result.leaked.emplace_back("the server did not become ready");
    result.log = server.log();
    return result;
  }
  const Rest before{tests::baseline(server), arena_bytes_used(server)};
  {
    Storm storm(options, server);
    storm.rage(progress);
    result.counts = storm.counts();
  }
  server.rewrite_config(Storm::config(options));
  result.leaked = what_is_left(server, before, options.workers);
  server.send_signal(SIGTERM);
  if (server.wait_for_exit() != tests::exited(0)) result.leaked.emplace_back("it did not stop cleanly");
  result.log = server.log();
  return result;
}

}  // namespace yolod::chaos
