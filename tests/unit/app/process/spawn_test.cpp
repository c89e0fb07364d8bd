// These tests show what a child inherits: a shell takes the place of the worker program and prints it.
#include "app/process/spawn.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/unique_fd.hpp"
#include "ipc/layout.hpp"

namespace yolod::app::process {
namespace {

using common::UniqueFd;

constexpr std::array<DescriptorPlace, 2> kTwoPlaces{
    {{&InheritedDescriptors::config, 7}, {&InheritedDescriptors::control, 3}}};
constexpr std::array<int, 2> kTwoSignals{SIGINT, SIGUSR1};
constexpr std::array<std::string_view, 3> kVariables{"PATH", "YOLOD_TEST_", "OPENBLAS_"};

// A kind of child that runs a shell.
class ShellBench {
 public:
  explicit ShellBench(std::string_view script) : arguments_{"-c", script} {
    spec.program = "sh";
    spec.arguments = arguments_;
    spec.classify = classify;
    settings.programs["sh"] = "/bin/sh";
    getrlimit(RLIMIT_NOFILE, &settings.open_files);
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    read_end_.reset(ends[0]);
    write_end_.reset(ends[1]);
    descriptors.output = write_end_.get();
    nothing_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    descriptors.control = descriptors.config = nothing_.get();
  }

  // Returns everything that the child has printed, and sets `exit_code`.
  std::string run() {
    const auto pid = spawn(settings, spec, descriptors);
    REQUIRE(pid);
    write_end_.reset();
    std::string text;
    std::array<char, 4096> some{};
    for (ssize_t bytes = 0; (bytes = read(read_end_.get(), some.data(), some.size())) > 0;) {
      text.append(some.data(), static_cast<std::size_t>(bytes));
    }
    exit_code = exit_code_of(*pid);
    return text;
  }
  // Returns the exit code, or 1000 plus the number of the signal.
  static int exit_code_of(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

  ChildSpec spec{};
  SpawnSettings settings;
  InheritedDescriptors descriptors;
  int exit_code{-1};

 private:
  std::array<std::string_view, 2> arguments_;
  UniqueFd read_end_;
  UniqueFd write_end_;
  UniqueFd nothing_;
};

// ---- the table ----

TEST_CASE("ChildSpec: a worker has a lane and a doorbell, a loader has neither", "[app][unit]") {
  const auto numbers = [](ChildKind kind) {
    std::vector<int> all;
    for (const DescriptorPlace& place : spec_of(kind).descriptors) all.push_back(place.to);
    return all;
  };
  CHECK(numbers(ChildKind::kWorker) == std::vector{ipc::kControlDescriptor, ipc::kLaneDescriptor, ipc::kArenaDescriptor,
                                                   ipc::kDoorbellDescriptor, ipc::kConfigDescriptor});
  const std::vector loaders{ipc::kControlDescriptor, ipc::kArenaDescriptor, ipc::kConfigDescriptor};
  CHECK(numbers(ChildKind::kLoader) == loaders);
  CHECK(numbers(ChildKind::kBackgroundLoader) == loaders);
}

TEST_CASE("ChildSpec: every kind runs the worker program, with SIGINT blocked and the inherited limit", "[app][unit]") {
  const auto kind = GENERATE(ChildKind::kWorker, ChildKind::kLoader, ChildKind::kBackgroundLoader);
  const ChildSpec& spec = spec_of(kind);
  CHECK(spec.kind == kind);
  CHECK(spec.program == "yolod-worker");
  CHECK(std::vector(spec.blocked_signals.begin(), spec.blocked_signals.end()) == std::vector{SIGINT});
  CHECK(spec.limits.given_open_files);
  CHECK(spec.computes);
  CHECK(spec.classify(Death{.number = ipc::kExitBadModel}, false) == DeathCause::kBadModel);
}

// ---- what a child inherits ----

TEST_CASE("Spawn: a child has its descriptors at their numbers, and no others", "[app][unit]") {
  ShellBench bench("for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 20 30; do [ -e /dev/fd/$n ] && echo $n; done; true");
  bench.spec.descriptors = kTwoPlaces;
  // These descriptors are not close-on-exec. Their numbers lie between and beyond the child's, and one has a number
  // that
  // belongs to another descriptor.
  const UniqueFd between(fcntl(bench.descriptors.config, F_DUPFD, 4));
  const UniqueFd beyond(fcntl(bench.descriptors.config, F_DUPFD, 30));
  CHECK(bench.run() == "0\n1\n2\n3\n7\n");
  CHECK(bench.exit_code == 0);
}

TEST_CASE("Spawn: descriptors that have each other's numbers are swapped", "[app][unit]") {
  ShellBench bench("read -r a <&3; read -r b <&7; test \"$a $b\" = \"control config\"");
  bench.spec.descriptors = kTwoPlaces;
  std::array<int, 2> first{};
  std::array<int, 2> second{};
  REQUIRE(pipe2(first.data(), O_CLOEXEC) == 0);
  REQUIRE(pipe2(second.data(), O_CLOEXEC) == 0);
  REQUIRE(write(first[1], "control\n", 8) == 8);
  REQUIRE(write(second[1], "config\n", 7) == 7);
  // Restores the descriptors that have these numbers now.
  const UniqueFd at_three(fcntl(3, F_DUPFD_CLOEXEC, 40));
  const UniqueFd at_seven(fcntl(7, F_DUPFD_CLOEXEC, 40));
  const UniqueFd output(fcntl(bench.descriptors.output, F_DUPFD_CLOEXEC, 40));
  const UniqueFd control(fcntl(first[0], F_DUPFD_CLOEXEC, 40));
  const UniqueFd config(fcntl(second[0], F_DUPFD_CLOEXEC, 40));
  bench.descriptors.output = output.get();
  dup3(control.get(), 7, O_CLOEXEC);
  dup3(config.get(), 3, O_CLOEXEC);
  bench.descriptors.control = 7;
  bench.descriptors.config = 3;
  const auto pid = spawn(bench.settings, bench.spec, bench.descriptors);
  for (const auto& [held, number] : {std::pair(&at_three, 3), std::pair(&at_seven, 7)}) {
    if (held->valid()) {
      dup3(held->get(), number, O_CLOEXEC);
    } else {
      close(number);
    }
  }
  for (const int one : {first[0], first[1], second[0], second[1]}) {
    if (one != 3 && one != 7) close(one);
  }
  REQUIRE(pid);
  CHECK(ShellBench::exit_code_of(*pid) == 0);
}

TEST_CASE("Spawn: a child's standard input is empty, and both its outputs go to the given descriptor", "[app][unit]") {
  ShellBench bench("cat; echo out; echo err >&2");
  CHECK(bench.run() == "out\nerr\n");
}

TEST_CASE("Spawn: a child has its kind's signal mask, and default dispositions", "[app][unit]") {
  ShellBench bench("while read -r name value; do case $name in Sig*) echo $name $value;; esac; done </proc/$$/status");
  bench.spec.blocked_signals = kTwoSignals;
  const auto previous = std::signal(SIGUSR2, SIG_IGN);
  const std::string text = bench.run();
  std::signal(SIGUSR2, previous);
  CHECK_THAT(text, Catch::Contains("SigBlk: 0000000000000202"));  // bits 1 and 9
  CHECK_THAT(text, Catch::Contains("SigIgn: 0000000000000000"));
}

TEST_CASE("Spawn: a child has its own process group", "[app][unit]") {
  ShellBench bench("read -r pid name state parent group rest </proc/self/stat; echo $((group == $$))");
  CHECK(bench.run() == "1\n");
}

TEST_CASE("Spawn: a child has its kind's limits", "[app][unit]") {
  const bool core_dumps = GENERATE(true, false);
  ShellBench bench("ulimit -n; ulimit -c");
  rlimit cores{};
  getrlimit(RLIMIT_CORE, &cores);
  const rlimit some{std::min<rlim_t>(cores.rlim_max, 1U << 20U), cores.rlim_max};
  setrlimit(RLIMIT_CORE, &some);
  bench.spec.limits = {.given_open_files = true, .core_dumps = core_dumps};
  bench.settings.open_files.rlim_cur = 64;
  const std::string text = bench.run();
  setrlimit(RLIMIT_CORE, &cores);
  CHECK_THAT(text, Catch::StartsWith("64\n"));
  if (!core_dumps) CHECK(text == "64\n0\n");
  if (core_dumps && some.rlim_cur != 0) CHECK(text != "64\n0\n");
}

TEST_CASE("Spawn: a kind may keep the front-end's own limit of descriptors", "[app][unit]") {
  ShellBench bench("ulimit -n");
  rlimit own{};
  getrlimit(RLIMIT_NOFILE, &own);
  bench.spec.limits.given_open_files = false;
  bench.settings.open_files.rlim_cur = 64;
  CHECK(bench.run() == (own.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(own.rlim_cur)) + "\n");
}

TEST_CASE("Spawn: a child has the variables of its kind, and no others", "[app][unit]") {
  const bool computes = GENERATE(true, false);
  ShellBench bench("env");
  bench.spec.variables = kVariables;
  bench.spec.computes = computes;
  bench.settings.thread_wait = "OMP_WAIT_POLICY=active";
  setenv("YOLOD_TEST_ONE", "1", 1);
  setenv("YOLOD_TESTS", "secret", 1);
  setenv("OPENBLAS_NUM_THREADS", "64", 1);
  const bool said = GENERATE(true, false);
  if (said) setenv("GOMP_SPINCOUNT", "0", 1);
  const std::string text = bench.run();
  unsetenv("YOLOD_TEST_ONE");
  unsetenv("YOLOD_TESTS");
  unsetenv("OPENBLAS_NUM_THREADS");
  unsetenv("GOMP_SPINCOUNT");
  CHECK_THAT(text, Catch::Contains("YOLOD_TEST_ONE=1\n"));
  CHECK_THAT(text, !Catch::Contains("secret"));
  CHECK_THAT(text, Catch::Contains(computes ? "OPENBLAS_NUM_THREADS=1\n" : "OPENBLAS_NUM_THREADS=64\n"));
  CHECK((text.find("OPENBLAS_NUM_THREADS=64\n") == std::string::npos) == computes);
  CHECK((text.find("GDAL_DRIVER_PATH=disable\n") != std::string::npos) == computes);
  CHECK((text.find("OMP_WAIT_POLICY=active\n") != std::string::npos) == (computes && !said));
}

// ---- failures ----

TEST_CASE("Spawn: a program that was not found is an error that names it", "[app][unit]") {
  ShellBench bench("true");
  bench.settings.programs.clear();
  const auto pid = spawn(bench.settings, bench.spec, bench.descriptors);
  REQUIRE_FALSE(pid);
  CHECK(pid.error().code == common::ErrorCode::kSystem);
  CHECK_THAT(pid.error().message, Catch::Contains("sh"));
}

TEST_CASE("Spawn: a child that cannot be prepared ends with 127", "[app][unit]") {
  ShellBench bench("echo ran");
  bench.spec.descriptors = kTwoPlaces;
  SECTION("the program cannot be executed") { bench.settings.programs["sh"] = "/dev/null"; }
  SECTION("a descriptor is missing") { bench.descriptors.config = -1; }
  SECTION("the output is not a descriptor") { bench.descriptors.output = 9999; }
  CHECK(bench.run().empty());
  CHECK(bench.exit_code == 127);
}

TEST_CASE("Spawn: a child that cannot get one of its descriptors ends with 127", "[app][unit]") {
  rlimit whole{};
  getrlimit(RLIMIT_NOFILE, &whole);
  int failed = 0;
  bool ran = false;
  for (rlim_t most = 3; most < 40 && !ran; ++most) {
    ShellBench bench("echo ran");
    bench.spec.descriptors = spec_of(ChildKind::kWorker).descriptors;
    bench.descriptors.lane = bench.descriptors.arena = bench.descriptors.doorbell = bench.descriptors.control;
    const rlimit little{most, whole.rlim_max};
    setrlimit(RLIMIT_NOFILE, &little);
    const auto pid = spawn(bench.settings, bench.spec, bench.descriptors);
    setrlimit(RLIMIT_NOFILE, &whole);
    REQUIRE(pid);
    const int exit_code = ShellBench::exit_code_of(*pid);
    CHECK((exit_code == 0 || exit_code == 127));
    ran = exit_code == 0;
    if (!ran) ++failed;
  }
  CHECK(ran);
  CHECK(failed >= 5);  // each of the worker's descriptors, once
}

// Fails this system call if its argument `which` is `value`.
struct Refused {
  const char* name;
  unsigned call;
  unsigned which;
  unsigned value;
};

void refuse(const Refused& refused) {
  constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | EAGAIN;
  std::array<sock_filter, 6> filter{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused.call, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
               static_cast<unsigned>(offsetof(seccomp_data, args) + 8 * std::size_t{refused.which})),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused.value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kRefuse),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{filter.size(), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    _exit(99);
  }
}

#if defined(__x86_64__)
TEST_CASE("Spawn: whichever system call fails, no half-prepared child runs its program", "[app][unit]") {
  const auto refused = GENERATE(
      Refused{"dup2 of its output", SYS_dup2, 1, STDERR_FILENO}, Refused{"fcntl", SYS_fcntl, 1, F_DUPFD_CLOEXEC},
      Refused{"dup2 to a descriptor's place", SYS_dup2, 1, 3}, Refused{"close_range", SYS_close_range, 0, 8},
      Refused{"open of /dev/null", SYS_openat, 2, O_RDONLY}, Refused{"dup2 to stdin", SYS_dup2, 1, STDIN_FILENO});
  CAPTURE(refused.name);
  ShellBench bench("exit 7");
  bench.spec.descriptors = kTwoPlaces;
  const pid_t between = fork();
  REQUIRE(between >= 0);
  if (between == 0) {
    refuse(refused);
    const auto pid = spawn(bench.settings, bench.spec, bench.descriptors);
    _exit(pid ? ShellBench::exit_code_of(*pid) : 98);
  }
  CHECK(ShellBench::exit_code_of(between) == 127);
}

TEST_CASE("Spawn: a kernel that does not fork is an error", "[app][unit]") {
  ShellBench bench("exit 7");
  const pid_t between = fork();
  REQUIRE(between >= 0);
  if (between == 0) {
    // glibc forks with CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID and SIGCHLD.
    refuse({"fork", SYS_clone, 0, 0x01200011});
    const auto pid = spawn(bench.settings, bench.spec, bench.descriptors);
    _exit(!pid && pid.error().code == common::ErrorCode::kSystem && pid.error().message.starts_with("fork") ? 0 : 98);
  }
  CHECK(ShellBench::exit_code_of(between) == 0);
}
#endif

TEST_CASE("Spawn: a child dies with the process that spawned it", "[app][unit]") {
  ShellBench bench("echo up; read -r line <&3; echo down");
  constexpr std::array<DescriptorPlace, 1> kOnePlace{{{&InheritedDescriptors::control, 3}}};
  bench.spec.descriptors = kOnePlace;
  std::array<int, 2> line{};
  std::array<int, 2> output{};
  REQUIRE(pipe2(line.data(), O_CLOEXEC) == 0);
  REQUIRE(pipe2(output.data(), O_CLOEXEC) == 0);
  const UniqueFd lines_end(line[0]);
  const UniqueFd lines_begin(line[1]);
  const UniqueFd output_read(output[0]);
  UniqueFd output_write(output[1]);
  bench.descriptors.control = lines_end.get();
  bench.descriptors.output = output_write.get();
  const pid_t parent = fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    const auto pid = spawn(bench.settings, bench.spec, bench.descriptors);
    if (!pid) _exit(98);
    for (;;) pause();
  }
  output_write.reset();
  std::array<char, 16> text{};
  REQUIRE(read(output_read.get(), text.data(), text.size()) == 3);  // the child runs
  kill(parent, SIGKILL);
  CHECK(ShellBench::exit_code_of(parent) == 1000 + SIGKILL);
  CHECK(read(output_read.get(), text.data(), text.size()) == 0);  // the output ends here, without "down"
}

}  // namespace
}  // namespace yolod::app::process
