#include "common/forwarded_line.hpp"

#include <unistd.h>

#include <charconv>
#include <optional>
#include <system_error>

namespace yolod::common {
namespace {

char digit_of(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
    case LogLevel::kDebug: return '7';
    case LogLevel::kInfo: return '6';
    case LogLevel::kWarning: return '4';
    case LogLevel::kError: return '3';
  }
  return '3';
}

std::optional<LogLevel> level_of(char digit) {
  switch (digit) {
    case '7': return LogLevel::kDebug;
    case '6': return LogLevel::kInfo;
    case '4': return LogLevel::kWarning;
    case '3': return LogLevel::kError;
    default: return std::nullopt;
  }
}

}  // namespace

std::string forwarded_line(LogLevel level, std::string_view message) {
  return std::string("<") + digit_of(level) + '>' + std::to_string(getpid()) + ' ' + std::string(message) + '\n';
}

ForwardedLine parse_forwarded_line(std::string_view line) {
  const ForwardedLine as_it_is{LogLevel::kWarning, 0, line};
  if (line.size() < 4 || line[0] != '<' || line[2] != '>') return as_it_is;
  const auto level = level_of(line[1]);
  if (!level) return as_it_is;
  const auto space = line.find(' ', 3);
  if (space == std::string_view::npos) return as_it_is;
  pid_t pid = 0;
  const auto [end, wrong] = std::from_chars(line.data() + 3, line.data() + space, pid);
  if (wrong != std::errc{} || end != line.data() + space || pid <= 0) return as_it_is;
  return {*level, pid, line.substr(space + 1)};
}

}  // namespace yolod::common
