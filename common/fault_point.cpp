#include "common/fault_point.hpp"

#if defined(YOLOD_FAULT_POINTS)
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace yolod::common {
namespace {

struct Wanted {
  std::string_view point;
  const char* token{nullptr};
  std::string victim_file;
};

// Reads the environment of the process's start. The environment's strings outlive this object.
const Wanted& wanted() {
  static const Wanted from_environment = [] {
    const char* const point = std::getenv("YOLOD_FAULT_POINT");
    const char* const token = std::getenv("YOLOD_FAULT_TOKEN");
    if (point == nullptr || token == nullptr) return Wanted{};
    return Wanted{point, token, std::string(token) + ".victim"};
  }();
  return from_environment;
}

bool is_wanted(FaultPoint point) { return wanted().point == kFaultPointNames[static_cast<std::size_t>(point)]; }

// Writes a few bytes with one write(). It must not call snprintf, because that is unsafe between fork and exec.
void name_victim() {
  const auto& [point, token, file] = wanted();
  std::array<char, 24> text{};
  auto* digit = text.data() + text.size();
  for (auto rest = getpid(); rest != 0; rest /= 10) *--digit = static_cast<char>('0' + rest % 10);
  const auto bytes = static_cast<std::size_t>(text.data() + text.size() - digit);
  const int out = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  [[maybe_unused]] const auto written = write(out, digit, bytes);
}

}  // namespace

void reach(FaultPoint point) {
  if (!is_wanted(point) || unlink(wanted().token) != 0) return;
  name_victim();
  kill(getpid(), SIGKILL);
}

std::optional<std::string> fault_token_folder() {
  if (wanted().token == nullptr) return std::nullopt;
  return std::filesystem::path(wanted().token).parent_path().string();
}

bool is_doomed_at(FaultPoint point) { return is_wanted(point) && access(wanted().token, F_OK) == 0; }

}  // namespace yolod::common
#endif
