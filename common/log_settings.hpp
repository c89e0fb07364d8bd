// The settings of the log. The types hold plain values.
#pragma once

#include <filesystem>

namespace yolod::common {

enum class LogFormat {
  kText,
  kJson,
  kForwarded,  // a worker writes lines for the front-end, which logs them (common/forwarded_line.hpp)
};
enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError };

struct LoggingConfig {
  LogLevel level{LogLevel::kInfo};
  LogFormat format{LogFormat::kText};
  std::filesystem::path file;  // empty: stderr
  friend bool operator==(const LoggingConfig&, const LoggingConfig&) = default;
};

}  // namespace yolod::common
