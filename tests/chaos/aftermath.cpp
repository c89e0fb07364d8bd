#include "tests/chaos/aftermath.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <functional>
#include <regex>
#include <sstream>

#include "common/system/resident_memory.hpp"
#include "tests/support/process_tree.hpp"

namespace yolod::chaos {
namespace {

using tests::Server;

double arena_bytes_used(const Server& server) { return server.metric("yolod_arena_bytes", {{"kind", "used"}}); }

std::uint64_t private_kib(pid_t pid) { return common::own_bytes(pid) / 1024; }

// Returns whether there are as many workers as wanted, all idle, and no request waits.
bool rests(const Server& server, int wanted) {
  const auto workers = server.workers();
  const auto status = server.status();
  return workers.size() == static_cast<std::size_t>(wanted) && status.is_object() &&
         std::all_of(workers.begin(), workers.end(), [](const auto& worker) { return worker.state == "ready"; }) &&
         status.at("models").at(0).at("queue").at("depth").as_int64() == 0;
}

void note_what_did_not_happen(const StormOptions& options, StormResult& result) {
  const auto require = [&result](bool happened, const char* what) {
    if (!happened) result.not_done.emplace_back(what);
  };
  const auto& counts = result.counts;
  // An action must have happened if there was enough time: the first comes after one period.
  static constexpr int kPeriods = 4;
  const auto asked = [&options](std::chrono::milliseconds period) {
    return period.count() > 0 && options.duration >= kPeriods * period;
  };
  const auto require_action = [&](std::chrono::milliseconds period, Action action, const char* what) {
    require(!asked(period) || counts.times(action) > 0, what);
  };
  require(counts.right > 0, "no request was answered rightly");
  require_action(options.kill_every, Action::kKill, "no worker was killed");
  require(!asked(options.kill_every) || result.deaths_told > 0, "no worker died");
  require_action(options.interrupt_every, Action::kInterrupt, "no worker was interrupted");
  require_action(options.hang_every, Action::kHang, "no worker hung");
  require_action(options.resize_every, Action::kResize, "no worker was added or taken away");
  require(!asked(options.reload_every) || result.reloads_done > 0, "no reload was done");
  require(!asked(options.poison_every) || counts.poison > 0, "nobody posted poison");
  require(!asked(options.poison_every) || counts.by_status.contains(500), "no worker died of poison");
}

}  // namespace

Rest rest_of(const Server& server) {
  return {tests::baseline(server), arena_bytes_used(server), private_kib(server.pid())};
}

void look_at_log(const StormOptions& options, const std::string& log, StormResult& result) {
  static const std::regex kDeath(R"(worker (\d+) \(\S+\) (died|exited))");
  static const std::regex kHarmedInReload(R"(reload failed, .* ended while it loaded: (SIGKILL|SIGINT|interrupted))");
  const auto& counts = result.counts;
  std::uint64_t unseen = 0;  // workers that died before they sent their pid
  std::uint64_t harmed_in_reload = 0;
  std::istringstream stream(log);
  for (std::string line; std::getline(stream, line);) {
    if (line.find("reload: done") != std::string::npos) ++result.reloads_done;
    for (const char* const end : {"reload: over", "reload: the config cannot be served"}) {
      if (line.find(end) != std::string::npos) ++result.reloads_failed;
    }
    if (std::regex_search(line, kHarmedInReload)) ++harmed_in_reload;
    std::smatch death;
    if (!std::regex_search(line, death, kDeath)) continue;
    ++result.deaths_told;
    const auto pid = static_cast<pid_t>(std::stol(death[1].str()));
    if (pid == 0) {
      ++unseen;
    } else if (!counts.harmed.contains(pid)) {
      ++result.deaths_by_poison;
    }
  }
  // Each poison kills two workers, and a third where a reload has cleared the quarantine. Each is posted twice.
  const auto explain = [&result](const char* what, std::uint64_t count, std::uint64_t most) {
    if (count > most) {
      result.unexplained.push_back(std::to_string(count) + " " + what + ", where at most " + std::to_string(most) +
                                   " can be explained");
    }
  };
  const auto crashed = counts.by_status.find(500);
  explain("deaths of workers that nobody harmed", result.deaths_by_poison,
          2 * (crashed == counts.by_status.end() ? 0 : crashed->second) + result.reloads_done);
  // A killed loader may have been about to fork these workers.
  explain("workers gone unseen", unseen,
          counts.times(Action::kLoaderKill) * static_cast<std::uint64_t>(options.workers + 1));
  explain("reloads that failed", result.reloads_failed, counts.times(Action::kBadReload) + harmed_in_reload);
  note_what_did_not_happen(options, result);
}

void look_at_rest(Server& server, const Rest& before, int workers, StormResult& result) {
  auto& leaked = result.leaked;
  const auto settle = [&leaked](const std::string& what, const std::function<bool()>& settled) {
    if (!tests::wait_until(settled)) leaked.push_back(what);
  };
  // Another reload may be under way. This reload also resets the effect of TTIN and TTOU.
  settle("it cannot be reloaded any more",
         [&] { return tests::HttpClient(server.admin_endpoint()).post("/reload", "").status == 200; });
  settle("workers are missing, too many or busy, or requests wait", [&] { return rests(server, workers); });
  const auto& baseline = before.baseline;
  settle("processes", [&] {
    const auto processes = tests::descendants_of(server.pid());
    return processes.size() == baseline.processes &&
           std::none_of(processes.begin(), processes.end(), [](const auto& one) { return one.zombie(); });
  });
  settle("descriptors", [&] { return tests::descriptor_count(server.pid()) <= baseline.descriptors; });
  settle("mapped regions", [&] { return tests::mapping_count(server.pid(), "memfd:yolod") == baseline.regions; });
  settle("bytes of the arena", [&] { return arena_bytes_used(server) == before.arena_bytes; });
  settle("names in /dev/shm", [&] { return tests::shared_memory_of(server) == baseline.shared_memory_names; });
  if (!tests::serves_next_request(server)) leaked.emplace_back("it does not serve the next request");
  if (!tests::orphans().empty()) leaked.emplace_back("orphaned processes");
  result.front_end_kib_before = before.front_end_kib;
  result.front_end_kib_after = private_kib(server.pid());
}

}  // namespace yolod::chaos
