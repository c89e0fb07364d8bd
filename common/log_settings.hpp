// How the log is written. Values only.
#pragma once

#include <filesystem>

namespace yolod::common {

enum class LogFormat {
  kText,
  kJson,
  kForwarded,  // of a worker, whose lines the front-end reads from a pipe and logs (common/forwarded_line.hpp)
};
enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError };

struct LoggingConfig {
  LogLevel level{LogLevel::kInfo};
  LogFormat format{LogFormat::kText};
  std::filesystem::path file;  // empty: stderr
  friend bool operator==(const LoggingConfig&, const LoggingConfig&) = default;
};

}  // namespace yolod::common
