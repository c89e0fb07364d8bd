#include "app/process/supervisor.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/process/reaper.hpp"
#include "common/awake_clock.hpp"
#include "ipc/layout.hpp"
#include "tests/support/puppets.hpp"

namespace yolod::app::process {
namespace {

using namespace std::chrono_literals;
using common::AutoBool;
using tests::Puppets;
using Puppet = Puppets::Puppet;

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

// A supervisor whose processes are fakes, and the events that the supervisor reported.
class SupervisorBench final : private WorkerEventSink {
 public:
  explicit SupervisorBench(AutoBool preload = AutoBool::kAuto, std::uint32_t worker_count = 2) {
    config.name = "m";
    config.workers = worker_count;
    config.preload = preload;
    common::IdentitySource source;
    source.loader_probe = puppets.path();
    config.source = source;
    spawn.programs["yolod-worker"] = Puppets::program();
    getrlimit(RLIMIT_NOFILE, &spawn.open_files);
    puppets.turn = [this] { turn(); };
  }
  ~SupervisorBench() {
    if (supervisor) {
      supervisor->stop_respawning();
      supervisor->signal_all(SIGKILL);
      const bool all_gone = puppets.wait_until([this] {
        supervisor->forget_unseen();
        return !supervisor->any_alive();
      });
      CHECK(all_gone);
      supervisor.reset();
    }
    reap_children([](pid_t, const Death&) {});
  }

  void start(Start how = Start::kServing) {
    supervisor.emplace(io, config, spawn, arena, children, how,
                       Supervisor::Events{[this](const std::string& reason) { gave_up.push_back(reason); },
                                          [this](const std::string& label) { restarted.push_back(label); },
                                          [this] { ++ready_changes; }, [this] { ++none_left_count; }});
    supervisor->start(*this);
  }
  // Waits until all of its processes run and serve.
  void start_all() {
    start();
    if (config.preload != AutoBool::kFalse) loader = &make_ready(puppets.next_loader());
    while (supervisor->ready_count() < config.workers) make_next_ready();
  }
  Puppet& make_ready(Puppet& puppet) {
    puppets.tell(puppet, "hello");
    puppets.tell(puppet, "ready");
    if (puppet.is_loader) {
      REQUIRE(puppets.wait_until([this] { return supervisor->loader_status()->ready; }));
    } else {
      REQUIRE(puppets.wait_until([&] { return is_ready(puppet.pid); }));
    }
    return puppet;
  }
  // Returns the worker that is started next.
  Puppet& make_next_ready() { return make_ready(next_worker()); }
  Puppet& next_worker() {
    if (loader != nullptr) puppets.tell(*loader, "fork");
    workers.push_back(&puppets.next_worker());
    return *workers.back();
  }
  [[nodiscard]] bool is_ready(pid_t pid) const {
    for (const auto& worker : supervisor->status()) {
      if (worker.pid == pid) return worker.state == "ready";
    }
    return false;
  }
  [[nodiscard]] bool has(pid_t pid) const {
    for (const auto& worker : supervisor->status()) {
      if (worker.pid == pid) return true;
    }
    return supervisor->loader_status() && supervisor->loader_status()->pid == pid;
  }
  [[nodiscard]] bool goes(const Puppet& puppet) {
    return puppets.wait_until([&] { return !has(puppet.pid); });
  }
  [[nodiscard]] WorkerProcess& process_of(const Puppet& puppet) {
    WorkerProcess* found = nullptr;
    supervisor->for_each_ready([&](WorkerProcess& worker) {
      if (worker.pid() == puppet.pid) found = &worker;
    });
    REQUIRE(found != nullptr);
    return *found;
  }
  void turn() {
    (void)common::AwakeClock::now();  // no other reader empties it often enough
    io.restart();
    io.poll();
    reap_children([this](pid_t pid, const Death& death) { (void)children.reaped(pid, death); });
  }

  boost::asio::io_context io;
  common::ModelConfig config;
  SpawnSettings spawn;
  ipc::InputArena arena{ipc::InputArena::create(1U << 20U).value()};
  Puppets puppets;
  ChildTable children;
  std::optional<Supervisor> supervisor;
  Puppet* loader{nullptr};
  std::vector<Puppet*> workers;

  std::vector<std::string> gave_up;
  std::vector<std::string> restarted;
  int ready_changes{0};
  int none_left_count{0};
  std::vector<pid_t> ready;
  std::vector<std::pair<pid_t, DeathCause>> died;
  int completions{0};
  bool at_work{false};  // tells whether workers die at work on a request

 private:
  void worker_ready(WorkerProcess& worker, Supervisor&) override { ready.push_back(worker.pid()); }
  void worker_completions(WorkerProcess&) override { ++completions; }
  bool worker_died(WorkerProcess& worker, DeathCause cause) override {
    died.emplace_back(worker.pid(), cause);
    return at_work;
  }
};

// ---- starts ----

TEST_CASE("Supervisor: a loader is started, and each worker is forked from it once it is ready", "[app][unit]") {
  SupervisorBench bench;
  bench.start();
  Puppet& loader = bench.puppets.next_loader();
  CHECK(bench.supervisor->loader_status()->pid == loader.pid);
  CHECK_FALSE(bench.supervisor->loader_status()->ready);
  CHECK(bench.supervisor->status().size() == 2);
  CHECK(bench.supervisor->status()[0].state == "starting");
  REQUIRE(bench.supervisor->next_ready());
  bench.puppets.wait_for(10ms);
  CHECK(bench.puppets.started_count() == 1);
  bench.loader = &bench.make_ready(loader);
  Puppet& first = bench.make_next_ready();
  CHECK(bench.supervisor->ready_count() == 1);
  CHECK_FALSE(bench.supervisor->all_ready());
  Puppet& second = bench.make_next_ready();
  CHECK(bench.supervisor->all_ready());
  CHECK(bench.ready == std::vector{first.pid, second.pid});
  CHECK(first.seat == 0);
  CHECK(second.seat == 1);
  CHECK(bench.ready_changes == 2);
  CHECK(bench.supervisor->was_ready());
  CHECK(bench.supervisor->load_time(bench.process_of(first)) == 5ms);
  CHECK(bench.supervisor->memory_bytes() > 0);
  CHECK(bench.supervisor->status()[1].device == "cpu");
  CHECK(bench.supervisor->status()[1].sandbox.landlock_abi == 7);
}

TEST_CASE("Supervisor: without a loader each worker is executed and loads the model alone", "[app][unit]") {
  SupervisorBench bench(AutoBool::kFalse);
  bench.start_all();
  CHECK(bench.supervisor->all_ready());
  CHECK_FALSE(bench.supervisor->loader_status());
  CHECK(bench.supervisor->load_time(bench.process_of(*bench.workers[0])) == 5ms);
  CHECK(bench.supervisor->memory_bytes() > 0);
  CHECK(Supervisor::lane_bytes_of(bench.config) > 1U << 20U);
}

TEST_CASE("Supervisor: the start of an absent program is repeated, and given up for a candidate", "[app][unit]") {
  SupervisorBench bench(GENERATE(AutoBool::kFalse, AutoBool::kAuto), 1);
  bench.spawn.programs["yolod-worker"] = "/nowhere/yolod-worker";
  const bool candidate = GENERATE(false, true);
  bench.start(candidate ? Start::kCandidate : Start::kServing);
  if (candidate) {
    REQUIRE(bench.puppets.wait_until([&] { return !bench.gave_up.empty(); }));
    CHECK_THAT(bench.gave_up[0], Catch::Matchers::Contains("exit code 127"));
    CHECK_FALSE(bench.supervisor->next_ready());
  } else {
    // The first repetition comes at once, later repetitions after a pause.
    const auto waits = [&] { return *bench.supervisor->next_ready() > common::AwakeClock::now() + 300ms; };
    REQUIRE(bench.puppets.wait_until([&] { return !bench.supervisor->any_alive() && waits(); }));
    CHECK(bench.gave_up.empty());
  }
}

TEST_CASE("Supervisor: whichever descriptor fails to open, no process and no file is left behind", "[app][unit]") {
  const auto preload = GENERATE(AutoBool::kFalse, AutoBool::kAuto);
  rlimit whole{};
  getrlimit(RLIMIT_NOFILE, &whole);
  int failed = 0;
  bool succeeded = false;
  for (rlim_t more = 0; more < 30 && !succeeded; ++more) {
    SupervisorBench bench(preload, 1);
    // The event loop opens its own descriptors when it first needs them.
    boost::asio::steady_timer timer(bench.io, 1ms);
    timer.async_wait([](const auto&) {});
    bench.io.run();
    const std::size_t before = open_descriptors();
    // The listing of descriptors opens a descriptor too.
    const rlimit little{before - 1 + more, whole.rlim_max};
    setrlimit(RLIMIT_NOFILE, &little);
    bench.start(Start::kCandidate);
    succeeded = bench.gave_up.empty();
    setrlimit(RLIMIT_NOFILE, &whole);
    if (succeeded) continue;
    ++failed;
    CHECK(bench.gave_up.size() == 1);
    CHECK_FALSE(bench.supervisor->any_alive());
    bench.supervisor.reset();
    CHECK(open_descriptors() == before);
  }
  CHECK(succeeded);
  CHECK(failed >= 4);
}

TEST_CASE("Supervisor: a process that is not ready within load_timeout is killed and replaced", "[app][unit]") {
  SupervisorBench bench(GENERATE(AutoBool::kFalse, AutoBool::kAuto), 1);
  bench.config.load_timeout = 1s;
  bench.start();
  const bool has_loader = bench.config.preload != AutoBool::kFalse;
  Puppet& slow = has_loader ? bench.puppets.next_loader() : bench.puppets.next_worker();
  bench.puppets.tell(slow, "hello");
  CHECK(bench.goes(slow));
  CHECK(bench.restarted == (has_loader ? std::vector<std::string>{} : std::vector<std::string>{"SIGKILL"}));
  CHECK(bench.gave_up.empty());
}

// ---- loads that fail ----

TEST_CASE("Supervisor: a model that cannot be served is given up, with the reason", "[app][unit]") {
  SupervisorBench bench(GENERATE(AutoBool::kFalse, AutoBool::kAuto), 1);
  bench.start();
  Puppet& process =
      bench.config.preload == AutoBool::kFalse ? bench.puppets.next_worker() : bench.puppets.next_loader();
  bench.puppets.tell(process, "hello");
  bench.puppets.tell(process, "fail no such layer");
  bench.puppets.tell(process, "exit 91");
  REQUIRE(bench.puppets.wait_until([&] { return !bench.gave_up.empty(); }));
  CHECK(bench.gave_up == std::vector<std::string>{"no such layer"});
}

TEST_CASE("Supervisor: a model that has served is tried again, whatever its load reports", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start_all();
  bench.puppets.tell(*bench.loader, "exit 91");
  REQUIRE(bench.goes(*bench.loader));
  CHECK(bench.gave_up.empty());
  CHECK(bench.is_ready(bench.workers[0]->pid));
  CHECK(bench.supervisor->loader_status()->pid == 0);
  bench.loader = &bench.puppets.next_loader();
  bench.puppets.tell(*bench.loader, "hello");
  bench.puppets.tell(*bench.loader, "fail the file is gone");
  bench.puppets.tell(*bench.loader, "exit 91");
  REQUIRE(bench.goes(*bench.loader));
  CHECK(bench.gave_up.empty());
}

TEST_CASE("Supervisor: a death of a candidate ends the attempts, until the candidate serves", "[app][unit]") {
  SupervisorBench bench(AutoBool::kFalse, 1);
  bench.start(Start::kBeside);
  Puppet& worker = bench.puppets.next_worker();
  bench.make_ready(worker);
  const bool over = GENERATE(false, true);
  if (over) bench.supervisor->candidate_serves();
  bench.puppets.tell(worker, "signal 9");
  REQUIRE(bench.goes(worker));
  CHECK(bench.gave_up.empty() == over);
  if (over) bench.make_next_ready();
}

// ---- deaths ----

TEST_CASE("Supervisor: a killed worker is replaced at once, and the other workers go on serving", "[app][unit]") {
  SupervisorBench bench(GENERATE(AutoBool::kFalse, AutoBool::kAuto));
  bench.start_all();
  Puppet& victim = *bench.workers[0];
  bench.puppets.tell(victim, "signal 9");
  REQUIRE(bench.goes(victim));
  CHECK(bench.died == std::vector{std::pair{victim.pid, DeathCause::kExternal}});
  CHECK(bench.restarted == std::vector<std::string>{"SIGKILL"});
  CHECK(bench.supervisor->ready_count() == 1);
  Puppet& next = bench.make_next_ready();
  CHECK(next.seat == victim.seat);
  CHECK(bench.supervisor->status()[victim.seat].restarts == 1);
  CHECK(bench.supervisor->all_ready());
}

TEST_CASE("Supervisor: a second crash delays the replacement, a crash at work on a request does not", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.at_work = GENERATE(false, true);
  bench.start_all();
  for (int crash = 0; crash < 2; ++crash) {
    Puppet& worker = *bench.workers.back();
    bench.process_of(worker).count_answer(bench.at_work);
    bench.puppets.tell(worker, "signal 11");
    REQUIRE(bench.goes(worker));
    CHECK(bench.died.back() == std::pair{worker.pid, DeathCause::kOwnFault});
    const auto wait = *bench.supervisor->next_ready() - common::AwakeClock::now();
    CHECK((wait > 300ms) == (!bench.at_work && crash == 1));
    bench.make_next_ready();
  }
}

TEST_CASE("Supervisor: a worker that loses its device caused its own death, also at work", "[app][unit]") {
  SupervisorBench bench(AutoBool::kFalse, 1);
  bench.at_work = true;
  bench.start_all();
  for (int crash = 0; crash < 2; ++crash) {
    if (crash != 0) bench.make_next_ready();
    Puppet& worker = *bench.workers.back();
    bench.puppets.tell(worker, "exit 93");
    REQUIRE(bench.goes(worker));
  }
  CHECK(bench.restarted == std::vector<std::string>{"device_lost", "device_lost"});
  CHECK(*bench.supervisor->next_ready() - common::AwakeClock::now() > 300ms);
}

TEST_CASE("Supervisor: a dead loader is replaced, and workers wait for the next loader", "[app][unit]") {
  SupervisorBench bench;
  bench.start_all();
  bench.puppets.tell(*bench.loader, "signal 9");
  REQUIRE(bench.goes(*bench.loader));
  CHECK(bench.supervisor->all_ready());
  bench.puppets.tell(*bench.workers[1], "signal 9");
  REQUIRE(bench.goes(*bench.workers[1]));
  bench.loader = &bench.puppets.next_loader();
  REQUIRE(bench.puppets.wait_until([&] { return bench.supervisor->status()[1].state == "starting"; }));
  bench.make_ready(*bench.loader);
  bench.make_next_ready();
  CHECK(bench.supervisor->all_ready());
}

TEST_CASE("Supervisor: a forked worker that ends before its hello is replaced", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start();
  bench.loader = &bench.make_ready(bench.puppets.next_loader());
  Puppet& silent = bench.next_worker();
  CHECK(bench.supervisor->status()[0].pid == 0);
  bench.puppets.tell(silent, "exit 1");
  REQUIRE(bench.puppets.wait_until([&] { return !bench.died.empty(); }));
  CHECK(bench.died[0].first == 0);
  bench.make_next_ready();
}

TEST_CASE("Supervisor: a worker that said hello and died before its hello was read is known by its pid",
          "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start();
  bench.loader = &bench.make_ready(bench.puppets.next_loader());
  Puppet& quick = bench.next_worker();
  // No process reads the channel meanwhile.
  bench.puppets.turn = nullptr;
  bench.puppets.tell(quick, "hello");
  bench.puppets.tell(quick, "ready");
  bench.puppets.tell(quick, "exit 1");
  siginfo_t ended{};
  REQUIRE(waitid(P_PID, static_cast<id_t>(quick.pid), &ended, WEXITED | WNOWAIT) == 0);
  bool known = false;
  reap_children([&](pid_t pid, const Death& death) { known = bench.children.reaped(pid, death) || known; });
  CHECK(known);
  REQUIRE(bench.died.size() == 1);
  CHECK(bench.died[0].first == quick.pid);
  CHECK(bench.ready.empty());  // the worker was dead when its hello was read
  bench.puppets.turn = [&bench] { bench.turn(); };
}

// ---- protocol errors ----

TEST_CASE("Supervisor: a worker that sends a message out of order is killed", "[app][unit]") {
  SupervisorBench bench(GENERATE(AutoBool::kFalse, AutoBool::kAuto), 1);
  bench.start();
  if (bench.config.preload != AutoBool::kFalse) bench.loader = &bench.make_ready(bench.puppets.next_loader());
  Puppet& worker = bench.next_worker();
  SECTION("ready before hello") { bench.puppets.tell(worker, "ready"); }
  SECTION("a failure before hello") { bench.puppets.tell(worker, "fail x"); }
  SECTION("nonsense") { bench.puppets.tell(worker, "nonsense"); }
  SECTION("a second hello") {
    bench.puppets.tell(worker, "hello");
    bench.puppets.tell(worker, "hello");
  }
  SECTION("a second ready") {
    bench.make_ready(worker);
    bench.puppets.tell(worker, "ready");
  }
  SECTION("a failed load after ready") {
    bench.make_ready(worker);
    bench.puppets.tell(worker, "fail x");
  }
  SECTION("two denied calls that went on") {
    bench.make_ready(worker);
    bench.puppets.tell(worker, "deny 13");
    bench.puppets.tell(worker, "deny 13");
  }
  SECTION("two denied calls that ended the process") {
    bench.make_ready(worker);
    bench.puppets.tell(worker, "deny 0");
    bench.puppets.tell(worker, "deny 0");
  }
  REQUIRE(bench.puppets.wait_until([&] { return !bench.died.empty(); }));
  CHECK(bench.died[0].second != DeathCause::kBadModel);
}

TEST_CASE("Supervisor: a loader that sends a message out of order is killed", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start();
  Puppet& loader = bench.puppets.next_loader();
  SECTION("ready before hello") { bench.puppets.tell(loader, "ready"); }
  SECTION("a failure before hello") { bench.puppets.tell(loader, "fail x"); }
  SECTION("nonsense") { bench.puppets.tell(loader, "nonsense"); }
  SECTION("a second hello") {
    bench.puppets.tell(loader, "hello");
    bench.puppets.tell(loader, "hello");
  }
  SECTION("denied calls without end") {
    bench.puppets.tell(loader, "hello");
    for (int i = 0; i < 101; ++i) bench.puppets.tell(loader, "deny 0");
  }
  CHECK(bench.goes(loader));
}

TEST_CASE("Supervisor: a call that the sandbox denied is reported once, and the process goes on", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start();
  Puppet& loader = bench.puppets.next_loader();
  bench.puppets.tell(loader, "hello");
  bench.puppets.tell(loader, "deny 13");
  bench.puppets.tell(loader, "deny 13");
  bench.puppets.tell(loader, "ready");
  REQUIRE(bench.puppets.wait_until([&] { return bench.supervisor->loader_status()->ready; }));
  bench.loader = &loader;
  Puppet& worker = bench.next_worker();
  bench.puppets.tell(worker, "hello");
  bench.puppets.tell(worker, "deny 13");
  bench.puppets.tell(worker, "ready-unsealed");
  REQUIRE(bench.puppets.wait_until([&] { return bench.is_ready(worker.pid); }));
  CHECK(bench.supervisor->status()[0].sandbox.missing == "no seccomp here");
}

TEST_CASE("Supervisor: a denied call that ended a process is reported", "[app][unit]") {
  SupervisorBench bench(AutoBool::kFalse, 1);
  bench.start_all();
  bench.puppets.tell(*bench.workers[0], "deny 0");
  bench.puppets.tell(*bench.workers[0], "signal 31");
  REQUIRE(bench.goes(*bench.workers[0]));
  CHECK(bench.restarted == std::vector<std::string>{"SIGSYS"});
}

TEST_CASE("Supervisor: a loader that has closed its channel no longer listens, and is replaced", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start_all();
  bench.puppets.tell(*bench.loader, "hang-up");
  CHECK(bench.goes(*bench.loader));
  CHECK(bench.is_ready(bench.workers[0]->pid));
}

TEST_CASE("Supervisor: the ring of a working worker is handled, and a worker that rings without end is killed",
          "[app][unit]") {
  SupervisorBench bench(AutoBool::kFalse, 1);
  bench.start_all();
  bench.puppets.tell(*bench.workers[0], "ring 1");
  REQUIRE(bench.puppets.wait_until([&] { return bench.completions != 0; }));
  const auto end = common::Clock::now() + 10s;
  while (bench.died.empty() && common::Clock::now() < end) {
    (void)send(bench.workers[0]->connection.get(), "ring 30000", 10, MSG_NOSIGNAL);  // the worker may be dead by now
    bench.puppets.wait_for(20ms);
  }
  CHECK_FALSE(bench.died.empty());
}

// ---- condemned ----

TEST_CASE("Supervisor: a condemned worker is killed, and its death counts as its own fault", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start_all();
  Puppet& worker = *bench.workers[0];
  bench.supervisor->condemn(bench.process_of(worker), "a test");
  CHECK(bench.supervisor->ready_count() == 0);
  REQUIRE(bench.goes(worker));
  CHECK(bench.died == std::vector{std::pair{worker.pid, DeathCause::kOwnFault}});
}

TEST_CASE("Supervisor: a hanging worker gets SIGABRT, and a stopped worker does not count as hanging", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start_all();
  Puppet& worker = *bench.workers[0];
  const bool stopped = GENERATE(false, true);
  if (stopped) {
    kill(worker.pid, SIGSTOP);
    while (!is_stopped(worker.pid)) std::this_thread::sleep_for(1ms);
  }
  auto& process = bench.process_of(worker);
  bench.supervisor->condemn_hung(process, "a test");
  bench.supervisor->condemn_hung(process, "a test again");
  REQUIRE(bench.goes(worker));
  CHECK(bench.died[0].second == (stopped ? DeathCause::kExternal : DeathCause::kOwnFault));
  CHECK(bench.restarted == std::vector<std::string>{"SIGABRT"});
}

TEST_CASE("Supervisor: a loader that does not fork the worker it was asked for is killed", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.config.load_timeout = 1s;
  bench.start();
  bench.loader = &bench.make_ready(bench.puppets.next_loader());
  // The supervisor asks the loader for a worker, and the loader does not fork.
  CHECK(bench.goes(*bench.loader));
  REQUIRE(bench.puppets.wait_until([&] { return !bench.died.empty(); }));
  CHECK(bench.died[0].first == 0);
}

// ---- adding, removing and recycling workers ----

TEST_CASE("Supervisor: workers are added at the lowest free seat and removed, except the last worker", "[app][unit]") {
  SupervisorBench bench;
  bench.start_all();
  bench.supervisor->add_worker();
  Puppet& third = bench.make_next_ready();
  CHECK(third.seat == 2);
  CHECK(bench.supervisor->ready_count() == 3);
  REQUIRE(bench.supervisor->remove_worker());
  CHECK(bench.supervisor->ready_count() == 2);
  CHECK_FALSE(bench.supervisor->any_leaves_slowly());
  common::AwakeClock::skip(3s);
  CHECK(bench.supervisor->any_leaves_slowly());
  common::AwakeClock::skip(-3s);
  bench.puppets.tell(third, "exit 0");
  REQUIRE(bench.goes(third));
  CHECK(bench.supervisor->status().size() == 2);
  REQUIRE(bench.supervisor->remove_worker());
  CHECK_FALSE(bench.supervisor->remove_worker());
}

TEST_CASE("Supervisor: a worker that is removed before it is ready gets SIGTERM", "[app][unit]") {
  SupervisorBench bench(AutoBool::kFalse);
  bench.start();
  Puppet* first = &bench.puppets.next_worker();
  Puppet* second = &bench.puppets.next_worker();
  if (first->seat > second->seat) std::swap(first, second);
  bench.make_ready(*first);
  REQUIRE(bench.supervisor->remove_worker());  // the worker with the highest seat
  CHECK(bench.goes(*second));
  CHECK(bench.supervisor->status().size() == 1);
}

TEST_CASE("Supervisor: a slot that waits for its next process is removed at once", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto);
  bench.start();
  Puppet& loader = bench.puppets.next_loader();
  (void)loader;
  REQUIRE(bench.supervisor->remove_worker());
  CHECK(bench.supervisor->status().size() == 1);
}

TEST_CASE("Supervisor: a worn worker leaves when its successor is ready", "[app][unit]") {
  SupervisorBench bench;
  bench.config.recycle.max_requests = 2;
  bench.start_all();
  Puppet& worn = *bench.workers[0];
  CHECK(bench.supervisor->may_have_yet(0) == 2U);
  CHECK(bench.supervisor->may_have_yet(5) == 0U);
  bench.supervisor->recycle();
  CHECK(bench.supervisor->status().size() == 2);  // no worker is worn yet
  for (int i = 0; i < 2; ++i) bench.process_of(worn).count_answer(true);
  bench.supervisor->recycle();
  CHECK(bench.supervisor->status().size() == 3);
  bench.supervisor->recycle();  // only one worker is recycled at a time
  CHECK(bench.supervisor->status().size() == 3);
  Puppet& successor = bench.make_next_ready();
  CHECK(successor.seat == worn.seat);
  REQUIRE(bench.puppets.wait_until([&] { return bench.supervisor->ready_count() == 2; }));
  bench.puppets.tell(worn, "exit 0");
  REQUIRE(bench.goes(worn));
  CHECK(bench.supervisor->status().size() == 2);
  CHECK(bench.restarted.empty());
}

TEST_CASE("Supervisor: a worn worker that dies first is replaced only once", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.config.recycle.max_rss_bytes = 1;
  bench.start_all();
  bench.supervisor->recycle();
  REQUIRE(bench.supervisor->status().size() == 2);
  bench.puppets.tell(*bench.workers[0], "signal 9");
  REQUIRE(bench.goes(*bench.workers[0]));
  CHECK(bench.supervisor->status().size() == 1);
  bench.make_next_ready();
  bench.supervisor->recycle();  // this worker is too large as well, but the last recycling is too recent
  CHECK(bench.supervisor->status().size() == 1);
}

TEST_CASE("Supervisor: no worker waits for a successor that would have to load first", "[app][unit]") {
  SupervisorBench bench(AutoBool::kFalse, 1);
  bench.config.recycle.max_requests = 2;
  bench.start_all();
  CHECK_FALSE(bench.supervisor->may_have_yet(5));
}

// ---- the stop ----

TEST_CASE("Supervisor: a stop sends a command to ready workers and a signal to the others, and replaces none",
          "[app][unit]") {
  SupervisorBench bench;
  const bool loader_is_ready = GENERATE(true, false);
  bench.start();
  Puppet& loader = bench.puppets.next_loader();
  if (loader_is_ready) {
    bench.loader = &bench.make_ready(loader);
    bench.make_next_ready();
    bench.next_worker();  // this worker has not said hello
  }
  bench.supervisor->stop_respawning();
  bench.supervisor->ask_all_to_stop();
  CHECK_FALSE(bench.supervisor->next_ready());
  if (loader_is_ready) {
    bench.puppets.tell(*bench.workers[0], "exit 0");
    bench.puppets.tell(*bench.workers[1], "hello");  // the worker is known now, and its messages arrive
    bench.puppets.tell(loader, "exit 0");
  }
  CHECK(bench.puppets.wait_until([&] { return !bench.supervisor->any_alive(); }));
  CHECK(bench.restarted.empty());
  CHECK(bench.none_left_count == 1);
}

TEST_CASE("Supervisor: after the supervisor has given up, it starts no delayed loader", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start();
  bench.loader = &bench.make_ready(bench.puppets.next_loader());
  Puppet& worker = bench.next_worker();
  bench.puppets.tell(worker, "hello");
  for (int death = 0; death < 2; ++death) {  // the second worker is replaced half a second later
    if (death != 0) bench.loader = &bench.puppets.next_loader();
    bench.puppets.tell(*bench.loader, "signal 11");
    REQUIRE(bench.goes(*bench.loader));
  }
  bench.puppets.tell(worker, "fail no such layer");
  bench.puppets.tell(worker, "exit 91");
  REQUIRE(bench.puppets.wait_until([&] { return !bench.gave_up.empty(); }));
  const auto started = bench.puppets.started_count();
  bench.puppets.wait_for(700ms);
  CHECK(bench.puppets.started_count() == started);
  CHECK_FALSE(bench.supervisor->any_alive());
}

TEST_CASE("Supervisor: forks that never said hello are forgotten at the end of a stop", "[app][unit]") {
  SupervisorBench bench(AutoBool::kAuto, 1);
  bench.start();
  bench.loader = &bench.make_ready(bench.puppets.next_loader());
  bench.next_worker();  // the forked process sends no message
  bench.supervisor->stop_respawning();
  bench.supervisor->signal_all(SIGKILL);
  REQUIRE(bench.goes(*bench.loader));
  CHECK(bench.supervisor->any_alive());
  bench.supervisor->forget_unseen();
  CHECK_FALSE(bench.supervisor->any_alive());
}

}  // namespace
}  // namespace yolod::app::process
