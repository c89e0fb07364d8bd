#include "tests/chaos/storm.hpp"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "tests/chaos/aftermath.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::chaos {
namespace {

using tests::Clock;
using tests::HttpClient;
using tests::milliseconds;
using tests::Server;

std::string config_of(const StormOptions& options) {
  tests::IdentityModel model{.workers = options.workers, .delay = options.delay, .faults = true};
  // Requests behind a worker that hangs wait as long, and the queue's timeout refuses none of them for that.
  const auto hang_timeout = tests::scaled(milliseconds(2'000));
  model.keys = {"hang_timeout: " + std::to_string(hang_timeout.count()) + "ms", "queue: {max_size: 1024, timeout: 60s}",
                "request_timeout: 120s"};
  return tests::identity_config({model});
}

class Storm {
 public:
  Storm(const StormOptions& options, Server& server) : options_(options), server_(server) {}

  void rage(const std::function<void(double)>& progress) {
    std::vector<std::thread> clients;
    for (std::size_t i = 0; i < options_.connections; ++i) clients.emplace_back([this, i] { post_on(i); });
    std::vector<std::thread> actions;
    const auto every = [&](milliseconds period, void (Storm::*happen)(Random&)) {
      actions.emplace_back([this, period, happen, part = actions.size()] { repeat(period, part, happen); });
    };
    every(options_.kill_every, &Storm::kill_one);
    every(options_.interrupt_every, &Storm::interrupt_one);
    every(options_.hang_every, &Storm::stop_one);
    every(options_.resize_every, &Storm::resize);
    every(options_.reload_every, &Storm::reload);
    every(options_.poison_every, &Storm::poison);
    const auto begin = Clock::now();
    while (Clock::now() - begin < options_.duration) {
      std::this_thread::sleep_for(milliseconds(200));
      progress(std::chrono::duration<double>(Clock::now() - begin) / options_.duration);
    }
    // The load continues until all actions are over, so that it also reaches each stopped worker.
    actions_over_ = true;
    for (auto& thread : actions) thread.join();
    if (options_.reload_every.count() > 0) reload_in_peace();
    no_more_posts_ = true;
    for (auto& thread : clients) thread.join();
  }

  [[nodiscard]] Counts counts() const { return tally_.counts(); }

 private:
  using Random = std::mt19937_64;

  [[nodiscard]] Random random_of(std::uint64_t part) const {
    std::seed_seq seeds{options_.seed, part};
    return Random(seeds);
  }

  void repeat(milliseconds period, std::uint64_t part, void (Storm::*happen)(Random&)) {
    if (period.count() <= 0) return;
    constexpr std::uint64_t kAfterClients = 1'000'001;
    Random random = random_of(kAfterClients + part);
    for (auto next = Clock::now() + period; !actions_over_; next += period) {
      while (!actions_over_ && Clock::now() < next) std::this_thread::sleep_for(milliseconds(10));
      if (!actions_over_) (this->*happen)(random);
    }
  }

  void post_on(std::size_t index) {
    Random random = random_of(index);
    HttpClient client(server_.endpoint());
    std::uint64_t seed = index * 1'000'000'000;
    while (!no_more_posts_) {
      const auto body = tests::random_body(1 + random() % 200'000, ++seed);
      const auto kind = random() % 100;
      if (kind < 2) {
        leave(random, body);
        continue;
      }
      tests::Request request{"POST", "/predict", {}, body};
      if (kind < 10) request.chunk_bytes = 1 + random() % 30'000;
      auto answer = client.send(request);
      if (answer.counts_as_not_sent()) {
        tally_.resend(answer, body);
        answer = client.send(request);
      }
      tally_.count(Expected::kRight, answer, body);
    }
  }

  // Sends a part of a request, or all of it, and disconnects.
  void leave(Random& random, const std::string& body) {
    HttpClient client(server_.endpoint());
    if (!client.connect()) return;
    const auto whole = tests::serialise({"POST", "/predict", {}, body});
    const auto sent = random() % 3 == 0 ? whole.size() : random() % whole.size();
    (void)client.write(std::string_view(whole).substr(0, sent));
    tally_.abandon();
  }

  // The status may be out of date, and another process may have the pid by now.
  bool send(pid_t process, int signal) {
    const auto info = tests::process_info(process);
    return info && info->parent == server_.pid() && ::kill(process, signal) == 0;
  }

  pid_t harm_one(Random& random, int signal, Action action) {
    const auto workers = server_.worker_pids();
    if (workers.empty()) return 0;
    const pid_t one = workers[random() % workers.size()];
    if (!send(one, signal)) return 0;
    tally_.did(action, one);
    return one;
  }

  void kill_one(Random& random) {
    harm_one(random, SIGKILL, Action::kKill);
    constexpr std::uint64_t kLoaderOneIn = 20;
    if (random() % kLoaderOneIn != 0) return;
    const auto loader = server_.loader_pid();
    if (loader != 0 && send(loader, SIGKILL)) tally_.did(Action::kLoaderKill);
  }

  void interrupt_one(Random& random) { harm_one(random, SIGINT, Action::kInterrupt); }

  // The lock keeps this apart from poison: the poison's neighbours in a batch have a strike, and a second causes a
  // 500.
  void stop_one(Random& random) {
    const std::lock_guard lock(one_strike_);
    const pid_t one = harm_one(random, SIGSTOP, Action::kHang);
    (void)tests::wait_until([&] { return one == 0 || !tests::is_alive(one); });
  }

  void resize(Random& /*random*/) {
    server_.send_signal(std::exchange(add_next_, !add_next_) ? SIGTTIN : SIGTTOU);
    tally_.did(Action::kResize);
  }

  void reload(Random& random) {
    constexpr std::uint64_t kBadOneIn = 4;
    const bool bad = random() % kBadOneIn == 0;
    server_.rewrite_config(bad ? broken_config(random) : config_of(options_));
    server_.send_signal(SIGHUP);
    tally_.did(bad ? Action::kBadReload : Action::kReload);
  }

  // A reload fails if one of its workers is killed while it loads. On a slow machine that may happen to every reload,
  // so the last reload comes after all kills.
  void reload_in_peace() {
    server_.rewrite_config(config_of(options_));
    // An earlier reload may be under way.
    if (tests::wait_until([this] { return HttpClient(server_.admin_endpoint()).post("/reload", "").status == 200; })) {
      tally_.did(Action::kReload);
    }
  }

  static std::string broken_config(Random& random) {
    if (random() % 2 == 0) return "models: [";
    return tests::identity_config({{.workers = 1, .load_fault = "crash"}});
  }

  void poison(Random& random) {
    const std::lock_guard lock(one_strike_);
    const std::vector<std::string> kinds{"segv", "abort", "exit", "scribble", "hang"};
    const auto& kind = kinds[random() % kinds.size()];
    const auto body = "FAULT:" + kind + " " + std::to_string(random());
    const auto quarantined = [this] { return server_.metric("yolod_quarantined_total"); };
    HttpClient client(server_.endpoint());
    const auto generation = server_.metric("yolod_generation");
    const auto known = quarantined();
    tally_.count(Expected::kPoison, client.post("/predict", body), body);
    // Other kills may hit a hanging worker eight times before hang_timeout. Its request then gets a 500 and is not
    // quarantined.
    const bool convicted = quarantined() > known || kind != "hang";
    const auto again = client.post("/predict", body);
    const bool same = server_.metric("yolod_generation") == generation;
    tally_.count(same && convicted ? Expected::kPoisonAgain : Expected::kPoisonAnew, again, body);
    // The neighbours of the poison run first, each alone, before another worker may hang.
    std::this_thread::sleep_for(tests::scaled(milliseconds(1'000)));
  }

  const StormOptions options_;
  Server& server_;
  Tally tally_;
  std::mutex one_strike_;
  bool add_next_{true};
  std::atomic<bool> actions_over_{false};
  std::atomic<bool> no_more_posts_{false};
};

}  // namespace

StormResult run_storm(const StormOptions& options, const std::function<void(double)>& progress) {
  StormResult result;
  tests::use_networks();  // the workers are those that ship, with LibTorch
  Server server(config_of(options));
  if (!server.wait_until_ready()) {
    result.leaked.emplace_back("the server did not become ready");
    result.log = server.log();
    return result;
  }
  const Rest before = rest_of(server);
  {
    Storm storm(options, server);
    storm.rage(progress);
    result.counts = storm.counts();
  }
  look_at_log(options, server.log(), result);
  server.rewrite_config(config_of(options));
  look_at_rest(server, before, options.workers, result);
  server.send_signal(SIGTERM);
  if (server.wait_for_exit() != tests::exited(0)) result.leaked.emplace_back("it did not stop cleanly");
  if (!tests::orphans().empty()) result.leaked.emplace_back("processes that outlived it");
  result.log = server.log();
  for (const auto& complaint : tests::complaints_in(result.log)) result.unexplained.push_back(complaint);
  return result;
}

}  // namespace yolod::chaos
