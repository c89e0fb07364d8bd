// Fault case 40: a compromised worker or loader tries forbidden system calls, one at a time, from inside its sandbox.
// Other tests start a server on a kernel without the sandbox.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

#if defined(YOLOD_INSTRUMENTED)
constexpr bool kInstrumented = true;
#else
constexpr bool kInstrumented = false;
#endif

// A call of model/forbidden_call.hpp and its expected result: an errno, or the end of the process at that call.
struct Attempt {
  std::string name;
  std::string refused_by;  // the errno in the answer; empty: SIGSYS ends the process
  std::string ends_for;    // the system call that the log names
  // A sanitizer's runtime makes this call too, so in such a build the filter leaves the call to Landlock.
  std::string refused_if_instrumented{};
};

std::vector<Attempt> attempts() {
  return {{"open", "EACCES", ""},
          {"open_write", "EACCES", ""},
          {"mem", "EACCES", ""},
          {"arena_write", "EACCES", ""},
          {"mmap_descriptor", "", "", {}},
          {"socket", "", "socket"},
          {"connect", "", "connect"},
          {"exec", "", "execve"},
          {"ptrace", "", "ptrace", "EPERM"},
          {"kill", "", "kill"},
          {"tgkill", "", "tgkill"},
          {"pidfd_getfd", "", "pidfd_open"},
          {"process_vm_readv", "", "process_vm_readv"},
          {"io_uring", "", "io_uring_setup"},
          {"bpf", "", "bpf"},
          {"keyctl", "", "keyctl"},
          {"userfaultfd", "", "userfaultfd"},
          {"unshare", "", "unshare"},
          {"mount", "", "mount"},
          {"memfd_create", "", "memfd_create"},
          {"perf_event", "", "perf_event_open"}};
}

// Returns the expected errno in this build.
std::string refusal_of(const Attempt& attempt) {
  return kInstrumented && !attempt.refused_if_instrumented.empty() ? attempt.refused_if_instrumented
                                                                   : attempt.refused_by;
}

constexpr const char* kDenies = "SIGSYS: it made a system call that its sandbox denies: ";

// Checks that no descriptor of the worker can be mapped for writing. The errno depends on the kinds of its
// descriptors.
void check_no_descriptor_maps(const Answer& answer) {
  CHECK(answer.status == 400);
  CHECK_THAT(answer.body, Catch::Contains("FAULT:mmap_descriptor: denied by "));
}

void check_attempt(const Attempt& attempt, const std::string& key, const std::string& aim) {
  CAPTURE(attempt.name, key, aim);
  Server server(identity_config({{.workers = 2, .faults = true, .keys = {key}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  std::string body = "FAULT:" + attempt.name;
  // Any worker may get the request, so a sibling's pid could be that worker's own. Only the loader's pid is therefore
  // passed here.
  if (aim == "loader") body += " " + std::to_string(server.loader_pid());
  const auto answer = HttpClient(server.endpoint()).post("/predict", body);
  if (attempt.name == "mmap_descriptor") {
    check_no_descriptor_maps(answer);
  } else if (const auto refusal = refusal_of(attempt); !refusal.empty()) {
    CHECK(answer.status == 400);
    CHECK_THAT(answer.body, Catch::Contains("denied by " + refusal));
    CHECK(server.worker_pids() == workers);
    const bool file = attempt.name == "open" || attempt.name == "open_write" || attempt.name == "mem";
    if (file && !kInstrumented) {
      CHECK(server.log_lines_with("its sandbox denied it the system call openat of").size() == 1);
    }
  } else {
    CHECK(answer.status == 500);
    CHECK(server.log_lines_with(kDenies + attempt.ends_for).size() == 2);
    CHECK(server.log_lines_with("is quarantined").size() == 1);
    CHECK(server.wait_until_replaced(workers));
    check_after_case(server, before, workers);
    return;
  }
  check_after_case(server, before);
}

// Returns the only error line of a server that cannot start, or whose loader tries a forbidden call.
std::string only_error(Server& server) {
  CHECK(server.wait_for_exit() == exited(1));
  const auto errors = server.log_lines_with(" error ");
  REQUIRE(errors.size() == 1);
  return errors.front();
}

// ---- a kernel or a service manager that refuses the system calls of a sandbox ----

enum class Refused { kSeccomp, kLandlock, kBoth };

constexpr unsigned kCreateRuleset = 444;

// The filter answers EPERM, as a unit's SystemCallFilter= does. Async-signal-safe.
template <std::size_t kCount>
void install(std::array<sock_filter, kCount>& program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

void refuse_call(unsigned number) {
  std::array<sock_filter, 4> program{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
                                      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                                      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
  install(program);
}

ServerOptions without_calls(Refused refused, std::string_view sandbox, const std::string& key) {
  ServerOptions options;
  options.config = identity_config({{.workers = 2, .keys = {key}}}, {}, sandbox);
  options.before_exec = [refused] {
    if (refused != Refused::kSeccomp) refuse_call(kCreateRuleset);
    if (refused != Refused::kLandlock) refuse_call(SYS_seccomp);
  };
  return options;
}

const boost::json::object& sandbox_of_worker(const boost::json::value& status) {
  return status.at("models").at(0).at("workers").at(0).at("sandbox").as_object();
}

}  // namespace

TEST_CASE("Sandbox: a call that a worker must not make is denied and named, in forked workers and others",
          "[process][case40][waits]") {
  const auto attempt = GENERATE(from_range(attempts()));
  const std::string key = GENERATE("preload: true", "preload: false");
  check_attempt(attempt, key, "front-end");
}

TEST_CASE("Sandbox: a worker can reach neither its loader nor the front-end", "[process][case40]") {
  const std::vector<std::string> aimed{"mem", "ptrace", "kill", "tgkill", "pidfd_getfd", "process_vm_readv"};
  for (const auto& attempt : attempts()) {
    if (std::find(aimed.begin(), aimed.end(), attempt.name) != aimed.end()) {
      check_attempt(attempt, "preload: true", "loader");
    }
  }
}

TEST_CASE("Sandbox: a worker can reach neither its sibling nor the front-end", "[process][case40]") {
  const std::vector<std::string> aimed{"mem", "ptrace", "kill", "tgkill", "pidfd_getfd", "process_vm_readv"};
  for (const auto& attempt : attempts()) {
    if (std::find(aimed.begin(), aimed.end(), attempt.name) == aimed.end()) continue;
    CAPTURE(attempt.name);
    Server server(identity_config({{.name = "one", .workers = 1, .faults = true}, {.name = "two", .workers = 1}}));
    REQUIRE(server.wait_until_ready());
    const auto workers = server.workers();
    REQUIRE(workers.size() == 2);
    const auto body = "FAULT:" + attempt.name + " " + std::to_string(workers.at(1).pid);
    const auto answer = HttpClient(server.endpoint()).post("/predict", body);  // the request goes to the first model
    if (const auto refusal = refusal_of(attempt); !refusal.empty()) {
      CHECK_THAT(answer.body, Catch::Contains("denied by " + refusal));
    } else {
      CHECK(answer.status == 500);
      CHECK(server.log_lines_with(kDenies + attempt.ends_for).size() == 2);
    }
    CHECK(is_alive(workers.at(1).pid));
  }
}

TEST_CASE("Sandbox: a call that a loader must not make is denied and named", "[process][case40]") {
  const auto attempt = GENERATE(from_range(attempts()));
  CAPTURE(attempt.name);
  Server server(identity_config({{.workers = 2, .faults = true, .loader_probe = attempt.name}}));
  const auto error = only_error(server);
  if (attempt.name == "mmap_descriptor") {
    CHECK_THAT(error, Catch::Contains("FAULT:mmap_descriptor: denied by "));
  } else if (const auto refusal = refusal_of(attempt); !refusal.empty()) {
    CHECK_THAT(error, Catch::Contains("FAULT:" + attempt.name + ": denied by " + refusal));
  } else {
    CHECK_THAT(error, Catch::Contains(kDenies + attempt.ends_for));
  }
}

TEST_CASE("Sandbox: without a sandbox the same calls are allowed, which proves the tests of denial",
          "[process][case40]") {
  Server server(identity_config({{.workers = 1, .faults = true}}, {}, "off"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  for (const char* name : {"open", "open_write", "socket", "kill", "tgkill", "keyctl", "memfd_create"}) {
    CAPTURE(name);
    CHECK_THAT(client.post("/predict", "FAULT:" + std::string(name)).body, Catch::Contains("it was allowed"));
  }
  // These calls fail with and without a sandbox: the arena is sealed, and no descriptor of a worker can be mapped.
  CHECK_THAT(client.post("/predict", "FAULT:arena_write").body, Catch::Contains("denied by EACCES"));
  check_no_descriptor_maps(client.post("/predict", "FAULT:mmap_descriptor"));
  const auto status = server.status();
  CHECK(sandbox_of_worker(status).at("mode") == "off");
  CHECK(sandbox_of_worker(status).at("seccomp") == false);
  CHECK(server.metric("yolod_sandbox", {{"part", "seccomp"}}) == 0);
  CHECK(server.log_lines_with("incomplete sandbox").empty());  // the config asked for no sandbox
}

TEST_CASE("Sandbox: /status and /metrics show the protections in force", "[process]") {
  const std::string mode = GENERATE("auto", "required", "report");
  const std::string key = GENERATE("preload: true", "preload: false");
  CAPTURE(mode, key);
  Server server(identity_config({{.workers = 2, .keys = {key}}}, {}, mode));
  REQUIRE(server.wait_until_ready());
  const auto status = server.status();
  const auto& sandbox = sandbox_of_worker(status);
  CHECK(sandbox.at("mode").as_string() == mode);
  CHECK(sandbox.at("landlock_abi").as_int64() >= 1);
  CHECK(sandbox.at("seccomp") == true);
  CHECK_FALSE(sandbox.contains("missing"));
  if (key == "preload: true") {
    CHECK(status.at("models").at(0).at("loader").at("sandbox").at("seccomp") == true);
  }
  CHECK(server.metric("yolod_sandbox", {{"model", "echo"}, {"part", "landlock"}}) == 1);
  CHECK(server.metric("yolod_sandbox", {{"model", "echo"}, {"part", "seccomp"}}) == 1);
  CHECK(server.log_lines_with("incomplete sandbox").empty());
}

TEST_CASE("Sandbox: the mode report names every denied call, with its place and arguments", "[process]") {
  if (kInstrumented) return;  // Landlock handles openat in these builds
  Server server(identity_config({{.workers = 1, .faults = true}}, {}, "report"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto told = [&server](long call) {
    return server.log_lines_with("the sandbox denied system call " + std::to_string(call) + " at 0x").size();
  };
  for (int i = 0; i < 3; ++i) CHECK(client.post("/predict", "FAULT:open").status == 400);
  CHECK(told(SYS_openat) == 3);
  CHECK(server.log_lines_with("its sandbox denied it the system call openat of").size() == 1);
  CHECK(client.post("/predict", "FAULT:bpf").status == 500);
  CHECK(told(SYS_bpf) == 2);
  CHECK(server.log_lines_with(std::string(kDenies) + "bpf").size() == 2);
}

TEST_CASE("Sandbox: the mode required refuses to serve where a part is missing, with one clear line", "[process]") {
  const auto [refused, what] = GENERATE(table<Refused, std::string>(
      {{Refused::kSeccomp, "the seccomp system call is refused: Operation not permitted"},
       {Refused::kLandlock, "Landlock is refused (landlock_create_ruleset): Operation not"}}));
  const std::string key = GENERATE("preload: true", "preload: false");
  CAPTURE(what, key);
  Server server(without_calls(refused, "required", key));
  CHECK_THAT(only_error(server),
             Catch::Contains("model echo: sandbox: required, but a part is not available: " + what));
}

TEST_CASE("Sandbox: the mode auto serves with the available parts, and warns once about the missing parts",
          "[process]") {
  const auto refused = GENERATE(Refused::kSeccomp, Refused::kLandlock, Refused::kBoth);
  const std::string key = GENERATE("preload: true", "preload: false");
  const bool seccomp = refused == Refused::kLandlock;
  const bool landlock = refused == Refused::kSeccomp;
  CAPTURE(seccomp, landlock, key);
  Server server(without_calls(refused, "auto", key));
  REQUIRE(server.wait_until_ready());
  CHECK(serves_next_request(server));
  const auto warnings = server.log_lines_with("its workers serve in an incomplete sandbox");
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.front(), Catch::Contains("warning"));
  if (!seccomp) CHECK_THAT(warnings.front(), Catch::Contains("the seccomp system call is refused"));
  if (!landlock) CHECK_THAT(warnings.front(), Catch::Contains("Landlock is refused"));
  const auto status = server.status();
  const auto& sandbox = sandbox_of_worker(status);
  CHECK(sandbox.at("seccomp") == seccomp);
  CHECK((sandbox.at("landlock_abi") != 0) == landlock);
  CHECK(sandbox.contains("missing"));
  CHECK(server.metric("yolod_sandbox", {{"part", "seccomp"}}) == (seccomp ? 1 : 0));
  CHECK(server.metric("yolod_sandbox", {{"part", "landlock"}}) == (landlock ? 1 : 0));
}

TEST_CASE("Sandbox: a reload can change the mode", "[process]") {
  const std::vector<IdentityModel> models{{.workers = 2, .faults = true}};
  Server server(identity_config(models, {}, "off"));
  REQUIRE(server.wait_until_ready());
  CHECK(sandbox_of_worker(server.status()).at("mode") == "off");
  server.rewrite_config(identity_config(models, {}, "required"));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return server.log_lines_with("reload: done").size() == 1; }));
  const auto status = server.status();
  CHECK(sandbox_of_worker(status).at("mode") == "required");
  CHECK(sandbox_of_worker(status).at("seccomp") == true);
  CHECK_THAT(HttpClient(server.endpoint()).post("/predict", "FAULT:open").body, Catch::Contains("denied by EACCES"));
}

TEST_CASE("Sandbox: a worker has the descriptors that it needs and no others", "[process]") {
  const std::string key = GENERATE("preload: true", "preload: false");
  CAPTURE(key);
  Server server(identity_config({{.workers = 1, .keys = {key}}}));
  REQUIRE(server.wait_until_ready());
  // The worker has standard input, output and error, its log's non-blocking duplicate of standard error, its control
  // channel and its doorbell.
  CHECK(descriptor_count(server.worker_pids().at(0)) == 6);
  // The loader has the same four, its control channel, and its threads' descriptor. It closes a worker's descriptors
  // after the fork.
  const auto loader = server.loader_pid();
  if (loader != 0) CHECK(wait_until([loader] { return descriptor_count(loader) == 6; }));
}

}  // namespace yolod::tests
