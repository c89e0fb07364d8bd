#include "common/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "common/forwarded_line.hpp"
#include "common/log_writer.hpp"
#include "common/text.hpp"
#include "common/unique_fd.hpp"
#include "common/utc_time.hpp"

namespace yolod::common {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace: return spdlog::level::trace;
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

LogLevel level_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace: return LogLevel::kTrace;
    case spdlog::level::debug: return LogLevel::kDebug;
    case spdlog::level::info: return LogLevel::kInfo;
    case spdlog::level::warn: return LogLevel::kWarning;
    case spdlog::level::err:
    case spdlog::level::critical:
    case spdlog::level::off:
    case spdlog::level::n_levels: return LogLevel::kError;
  }
  return LogLevel::kError;
}

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace: return "trace";
    case spdlog::level::debug: return "debug";
    case spdlog::level::info: return "info";
    case spdlog::level::warn: return "warning";
    case spdlog::level::err:
    case spdlog::level::critical:
    case spdlog::level::off:
    case spdlog::level::n_levels: return "error";
  }
  return "error";
}

// Formats a line and passes it to the writer. spdlog's own patterns escape nothing.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LineSink(LogFormat format, std::string process_name, std::string file, UniqueFd opened)
      : format_(format), process_name_(std::move(process_name)), file_(std::move(file)) {
    use(std::move(opened));
  }

  Outcome<void> reopen() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (file_.empty()) return {};
    auto opened = open_file(file_);
    if (!opened.ok()) return std::move(opened).error();
    writer_->flush();
    use(*std::move(opened));
    return {};
  }

  bool flush_waiting() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return writer_->flush();
  }

  [[nodiscard]] static Outcome<UniqueFd> open_file(const std::string& file) {
    // With O_NONBLOCK, opening a named pipe without a reader fails instead of waiting.
    UniqueFd opened(::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640));
    if (!opened.valid()) return last_system_error("cannot open the log file " + printable(file, 200));
    return opened;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    writer_->write(line(message.time, message.level, {message.payload.data(), message.payload.size()}));
  }
  void flush_() override { writer_->flush(); }

 private:
  // An invalid descriptor means stderr.
  void use(UniqueFd opened) {
    auto notice = [this](std::uint64_t dropped_count) {
      return line(
          std::chrono::system_clock::now(), spdlog::level::warn,
          fmt::format("{} log lines were dropped here because the log's target did not take them", dropped_count));
    };
    if (opened.valid()) {
      writer_.emplace(std::move(opened), std::move(notice));
    } else {
      writer_.emplace(STDERR_FILENO, std::move(notice));
    }
  }

  [[nodiscard]] std::string line(std::chrono::system_clock::time_point time, spdlog::level::level_enum level,
                                 std::string_view message) const {
    if (format_ == LogFormat::kForwarded)
      return forwarded_line(level_of(level), printable(message, kMaxLogMessageBytes));
    if (format_ == LogFormat::kJson) {
      return fmt::format("{{\"ts\":\"{}\",\"level\":\"{}\",\"process\":\"{}\",\"pid\":{},\"message\":\"{}\"}}\n",
                         utc_time(time), level_name(level), json_escaped(process_name_), ::getpid(),
                         json_escaped(message, kMaxLogMessageBytes));
    }
    return fmt::format("{} {} {}[{}] {}\n", utc_time(time), level_name(level), printable(process_name_), ::getpid(),
                       printable(message, kMaxLogMessageBytes));
  }

  const LogFormat format_;
  const std::string process_name_;
  const std::string file_;  // empty: stderr
  std::optional<LogWriter> writer_;
};

struct Log {
  std::shared_ptr<LineSink> sink;
  std::shared_ptr<spdlog::logger> logger;
};

Log make_log(const LoggingConfig& config, std::string_view process_name, UniqueFd opened) {
  Log log;
  log.sink =
      std::make_shared<LineSink>(config.format, std::string(process_name), config.file.string(), std::move(opened));
  // The logger is not in spdlog's registry, because nothing looks it up there.
  log.logger = std::make_shared<spdlog::logger>("yolod", log.sink);
  log.logger->set_level(spdlog_level(config.level));
  // spdlog's own error handler would write to stderr and wait for it.
  log.logger->set_error_handler([](const std::string&) {});
  return log;
}

// It is never destroyed, because destructors that run at exit may log.
Log& current_log() {
  static Log& log = *new Log(make_log(LoggingConfig{}, "yolod", UniqueFd()));
  return log;
}

}  // namespace

Outcome<void> configure_log(const LoggingConfig& config, std::string_view process_name) {
  UniqueFd opened;
  if (!config.file.empty()) {
    auto outcome = LineSink::open_file(config.file.string());
    if (!outcome.ok()) return std::move(outcome).error();
    opened = *std::move(outcome);
  }
  Log& log = current_log();
  log.sink->flush_waiting();
  log = make_log(config, process_name, std::move(opened));
  return {};
}

Outcome<void> reopen_log() { return current_log().sink->reopen(); }

bool flush_log() { return current_log().sink->flush_waiting(); }

bool log_enabled(LogLevel level) { return current_log().logger->should_log(spdlog_level(level)); }

void log_message(LogLevel level, std::string_view message) {
  current_log().logger->log(spdlog_level(level), spdlog::string_view_t(message.data(), message.size()));
}

void log_formatted(LogLevel level, fmt::string_view format, fmt::format_args arguments) {
  if (!log_enabled(level)) return;
  fmt::memory_buffer message;
  try {
    fmt::vformat_to(std::back_inserter(message), format, arguments);
  } catch (const fmt::format_error&) {
    // The format failed for a reason that the compiler cannot check, such as a negative width. Log what there is of
    // the message.
    message.clear();
    message.append(format.data(), format.data() + format.size());
  }
  log_message(level, {message.data(), message.size()});
}

}  // namespace yolod::common
