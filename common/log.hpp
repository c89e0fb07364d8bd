// The log of this process: one line a message, to stderr or a file, as text or JSON. A stalled reader of it never makes
// the process wait (common/log_writer.hpp), and nothing in a message can begin a line of its own.
//
//   2026-01-02T03:04:05.678Z info yolod[1234] message
//   {"ts":"2026-01-02T03:04:05.678Z","level":"info","process":"yolod","pid":1234,"message":"message"}
//
// Any thread may log; configure_log() and reopen_log() belong to the main thread. Starts no thread and installs no
// signal handler. The pid is looked up for each line, so a log works on in a forked child. SIGPIPE should be ignored: a
// reader that is gone is noticed before the write nearly always, but not always.
#pragma once

#include <fmt/core.h>

#include <string_view>

#include "common/log_settings.hpp"
#include "common/outcome.hpp"

namespace yolod::common {

// Until the first call the log is text to stderr at level info, for the process name "yolod". On failure (the file
// cannot be opened) the log stays what it was. Lines that still wait for the old target are written as far as it takes
// them.
Outcome<void> configure_log(const LoggingConfig& config, std::string_view process_name);

// Opens the log's file again under its name, after it was rotated. Without a file, and on failure, nothing changes.
Outcome<void> reopen_log();

// Writes what waits, as far as the target takes it now; for the event loop's timer, and before the process ends.
// True if no line is left.
bool flush_log();

// Whether a message of this level would be written: for messages that are expensive to make.
[[nodiscard]] bool log_enabled(LogLevel level);

// Messages are cut after this many bytes.
inline constexpr std::size_t kMaxLogMessageBytes = 8192;

// One line. `message` may hold anything; what could disturb a line is escaped.
void log_message(LogLevel level, std::string_view message);
// Formats with fmt, and only if the level is enabled.
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
