#include "tests/support/process_tree.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace yolod::tests {
namespace {

namespace fs = std::filesystem;

fs::path proc(pid_t pid) { return fs::path("/proc") / std::to_string(pid); }

// Visits the entries of a folder that may vanish while it is read.
template <typename Visit>
void for_each_entry(const fs::path& folder, Visit&& visit) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    visit(entry->path());
  }
}

std::optional<pid_t> as_pid(const std::string& text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return pid;
}

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> all;
  for_each_entry("/proc", [&](const fs::path& entry) {
    const auto pid = as_pid(entry.filename().string());
    if (!pid) return;
    if (auto info = process_info(*pid)) all.push_back(std::move(*info));
  });
  return all;
}

}  // namespace

std::optional<ProcessInfo> process_info(pid_t pid) {
  std::ifstream stream(proc(pid) / "stat");
  std::string line;
  if (!std::getline(stream, line)) return std::nullopt;
  // The name is in parentheses and may itself contain spaces and parentheses.
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  info.name = line.substr(open + 1, close - open - 1);
  std::istringstream rest(line.substr(close + 2));
  rest >> info.state >> info.parent;
  constexpr int kFieldsBetweenParentAndStart = 17;
  std::string skipped;
  for (int i = 0; i < kFieldsBetweenParentAndStart; ++i) rest >> skipped;
  std::int64_t ticks = 0;
  rest >> ticks;
  info.started_at = std::chrono::nanoseconds{ticks * (1'000'000'000 / ::sysconf(_SC_CLK_TCK))};
  return info;
}

std::vector<ProcessInfo> children_of(pid_t parent) {
  auto children = all_processes();
  std::erase_if(children, [parent](const ProcessInfo& info) { return info.parent != parent; });
  return children;
}

std::vector<ProcessInfo> descendants_of(pid_t ancestor) {
  auto others = all_processes();
  std::vector<ProcessInfo> found;
  std::set<pid_t> ancestors{ancestor};
  for (bool grew = true; grew;) {
    grew = false;
    std::erase_if(others, [&](const ProcessInfo& info) {
      if (!ancestors.contains(info.parent)) return false;
      ancestors.insert(info.pid);
      found.push_back(info);
      grew = true;
      return true;
    });
  }
  return found;
}

bool is_alive(pid_t pid) {
  const auto info = process_info(pid);
  return info && !info->zombie();
}

std::chrono::nanoseconds time_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

std::vector<std::uint64_t> blocked_signals(pid_t pid) {
  std::vector<pid_t> threads;
  for_each_entry(proc(pid) / "task", [&](const fs::path& entry) {
    if (const auto thread = as_pid(entry.filename().string())) threads.push_back(*thread);
  });
  // The main thread has the id of the process.
  std::sort(threads.begin(), threads.end(), [pid](pid_t a, pid_t b) { return (a == pid) > (b == pid); });
  std::vector<std::uint64_t> masks;
  for (const pid_t thread : threads) {
    std::ifstream stream(proc(pid) / "task" / std::to_string(thread) / "status");
    constexpr std::string_view kKey = "SigBlk:";
    for (std::string line; std::getline(stream, line);) {
      if (line.starts_with(kKey)) masks.push_back(std::stoull(line.substr(kKey.size()), nullptr, 16));
    }
  }
  return masks;
}

std::size_t descriptor_count(pid_t pid) {
  std::size_t count = 0;
  for_each_entry(proc(pid) / "fd", [&](const fs::path&) { ++count; });
  return count;
}

std::vector<std::string> environment_of(pid_t pid) {
  std::ifstream stream(proc(pid) / "environ");
  std::vector<std::string> entries;
  for (std::string entry; std::getline(stream, entry, '\0');) entries.push_back(entry);
  return entries;
}

std::size_t mapping_count(pid_t pid, std::string_view text) {
  std::ifstream stream(proc(pid) / "maps");
  std::size_t count = 0;
  for (std::string line; std::getline(stream, line);) count += line.find(text) != std::string::npos ? 1 : 0;
  return count;
}

long peak_memory_kib(pid_t pid) {
  std::ifstream status(proc(pid) / "status");
  for (std::string word; status >> word;) {
    long value = 0;
    if (word == "VmHWM:" && status >> value) return value;
  }
  return -1;
}

std::set<std::string> shared_memory_names() {
  std::set<std::string> names;
  for_each_entry("/dev/shm", [&](const fs::path& entry) { names.insert(entry.filename().string()); });
  return names;
}

std::set<std::string> shared_memory_held_by(pid_t pid) {
  constexpr std::string_view kFolder = "/dev/shm/";
  std::set<std::string> names;
  const auto note = [&](const std::string& text) {
    const auto at = text.find(kFolder);
    if (at != std::string::npos) names.insert(text.substr(at + kFolder.size()));
  };
  for_each_entry(proc(pid) / "fd", [&](const fs::path& entry) {
    std::error_code gone;
    note(fs::read_symlink(entry, gone).string());
  });
  std::ifstream maps(proc(pid) / "maps");
  for (std::string line; std::getline(maps, line);) note(line);
  return names;
}

std::size_t open_connections_of(std::uint16_t port) {
  std::size_t count = 0;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream stream(table);
    std::string line;
    std::getline(stream, line);  // the headings
    while (std::getline(stream, line)) {
      // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
      const auto colon = local.rfind(':');
      if (colon == std::string::npos || std::stoul(local.substr(colon + 1), nullptr, 16) != port) continue;
      constexpr std::string_view kListening = "0A";
      // A socket that no process holds any more has inode 0.
      if (state != kListening && inode != "0") ++count;
    }
  }
  return count;
}

}  // namespace yolod::tests
