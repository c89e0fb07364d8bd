// The log of this process: each message is one line on stderr or in a file, as text or JSON. A stalled reader never
// makes the process wait (common/log_writer.hpp), and no message can forge a second line.
//
//   2026-01-02T03:04:05.678Z info yolod[1234] message
//   {"ts":"2026-01-02T03:04:05.678Z","level":"info","process":"yolod","pid":1234,"message":"message"}
//
// Any thread may log; only the main thread may call configure_log() and reopen_log(). The log starts no thread and
// installs no signal handler. It reads the pid for each line, so it also works in a forked child. The process should
// ignore SIGPIPE, because a pipe whose reader has gone is usually, but not always, detected before the write.
#pragma once

#include <fmt/core.h>

#include <string_view>

#include "common/log_settings.hpp"
#include "common/outcome.hpp"

namespace yolod::common {

// Before the first call the log writes text to stderr at level info, as process "yolod". If the file cannot be
// opened, returns an Error and the log stays unchanged. Lines that still wait for the old target are written as far
// as it takes them.
Outcome<void> configure_log(const LoggingConfig& config, std::string_view process_name);

// Opens the log's file again by its name, after a rotation. If the log has no file, or opening fails, nothing
// changes.
Outcome<void> reopen_log();

// Writes the waiting lines, as far as the target takes them now. The event loop's timer calls it, and the program
// before it ends. Returns true if no line is left.
bool flush_log();

// Returns whether a message of this level would be written, for messages that are expensive to build.
[[nodiscard]] bool log_enabled(LogLevel level);

// Longer messages are truncated to this many bytes.
inline constexpr std::size_t kMaxLogMessageBytes = 8192;

// Logs one line. `message` may contain any bytes; control characters are escaped.
void log_message(LogLevel level, std::string_view message);
// Formats the message with fmt if the level is enabled.
void log_formatted(LogLevel level, fmt::string_view format, fmt::format_args arguments);

template <typename... Arguments>
void log_trace(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_formatted(LogLevel::kTrace, format, fmt::make_format_args(arguments...));
}
template <typename... Arguments>
void log_debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_formatted(LogLevel::kDebug, format, fmt::make_format_args(arguments...));
}
template <typename... Arguments>
void log_info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_formatted(LogLevel::kInfo, format, fmt::make_format_args(arguments...));
}
template <typename... Arguments>
void log_warning(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_formatted(LogLevel::kWarning, format, fmt::make_format_args(arguments...));
}
template <typename... Arguments>
void log_error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_formatted(LogLevel::kError, format, fmt::make_format_args(arguments...));
}

}  // namespace yolod::common
