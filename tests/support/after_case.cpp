#include "tests/support/after_case.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <iterator>
#include <sstream>

#include "tests/support/bodies.hpp"
#include "tests/support/process_tree.hpp"

namespace yolod::tests {
namespace {

constexpr std::string_view kRegionName = "memfd:yolod";

std::vector<std::string> names_added(const Server& server, const std::set<std::string>& before) {
  const auto now = shared_memory_of(server);
  std::vector<std::string> added;
  std::set_difference(now.begin(), now.end(), before.begin(), before.end(), std::back_inserter(added));
  return added;
}

void check_log(const Server& server) {
  for (const auto& complaint : complaints_in(server.log())) FAIL_CHECK("the server's log holds: " << complaint);
}

}  // namespace

bool can_listen_on(std::uint16_t port) {
  const common::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
         ::listen(socket.get(), 1) == 0;
}

Baseline baseline(const Server& server) {
  // The server may not have closed the connections yet that a test has just closed.
  (void)wait_until([&] { return server.port() == 0 || open_connections_of(server.port()) == 0; });
  Baseline now;
  now.descriptors = descriptor_count(server.pid());
  now.regions = mapping_count(server.pid(), kRegionName);
  now.processes = descendants_of(server.pid()).size();
  now.shared_memory_names = shared_memory_of(server);
  return now;
}

std::vector<std::string> complaints_in(const std::string& log) {
  constexpr std::array<std::string_view, 6> kSigns{
      "ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error: ", "Assertion",
      "terminate called"};
  std::vector<std::string> found;
  std::istringstream stream(log);
  for (std::string line; std::getline(stream, line);) {
    const auto holds = [&line](std::string_view sign) { return line.find(sign) != std::string::npos; };
    if (std::any_of(kSigns.begin(), kSigns.end(), holds)) found.push_back(line);
  }
  return found;
}

std::set<std::string> shared_memory_of(const Server& server) {
  auto names = shared_memory_names();
  std::erase_if(names, [](const std::string& name) { return name.find("yolo") == std::string::npos; });
  names.merge(shared_memory_held_by(server.pid()));
  for (const auto& process : descendants_of(server.pid())) names.merge(shared_memory_held_by(process.pid));
  return names;
}

bool serves_next_request(const Server& server, const std::vector<std::string>& models) {
  std::vector<std::string> targets;
  for (const auto& model : models) targets.push_back("/predict?model=" + model);
  if (models.empty()) targets.emplace_back("/predict");
  return std::all_of(targets.begin(), targets.end(), [&server](const std::string& target) {
    constexpr std::size_t kBytes = 100'000;
    const auto body = random_body(kBytes, static_cast<std::uint64_t>(server.pid()));
    HttpClient client(server.endpoint());
    return is_identity_answer(client.post(target, body), body);
  });
}

void check_after_case(Server& server, const Baseline& before, const std::vector<pid_t>& deaths) {
  CHECK(server.wait_until_replaced(deaths));
  CHECK(serves_next_request(server));
  // Zombies count too, also a loader's, so equal numbers mean that all are reaped.
  CHECK(wait_until([&] {
    const auto processes = descendants_of(server.pid());
    return processes.size() == before.processes &&
           std::none_of(processes.begin(), processes.end(), [](const ProcessInfo& one) { return one.zombie(); });
  }));
  CHECK(orphans().empty());
  const bool descriptors_settled = wait_until([&] { return descriptor_count(server.pid()) <= before.descriptors; });
  INFO("descriptors: " << before.descriptors << " before, " << descriptor_count(server.pid()) << " after");
  CHECK(descriptors_settled);
  const bool regions_settled = wait_until([&] { return mapping_count(server.pid(), kRegionName) == before.regions; });
  INFO("regions: " << before.regions << " before, " << mapping_count(server.pid(), kRegionName) << " after");
  CHECK(regions_settled);
  CHECK(names_added(server, before.shared_memory_names).empty());
  for (const pid_t pid : deaths) {
    INFO("worker " << pid);
    CHECK(server.death_lines(pid).size() == 1);
  }
  check_log(server);
}

void check_after_exit(Server& server, const Baseline& before, milliseconds grace) {
  REQUIRE_FALSE(server.running());
  CHECK(wait_until([] { return orphans().empty(); }, grace));
  if (server.port() != 0) CHECK(can_listen_on(server.port()));
  CHECK(names_added(server, before.shared_memory_names).empty());
  check_log(server);
}

}  // namespace yolod::tests
