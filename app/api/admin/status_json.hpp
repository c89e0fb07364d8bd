// GET /status and GET /readyz as JSON: values in, text out.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/http/text_buffer.hpp"
#include "app/serving/status.hpp"

namespace yolod::app::api::admin {

// The answer to GET /status, written in pieces that each take well below 1 ms, however many workers there are. What it
// shows is of one moment, but for the resident sizes of processes, which it reads from /proc.
class StatusWriter {
 public:
  explicit StatusWriter(serving::ServerStatus status);

  // Appends the next piece; true once all is written.
  [[nodiscard]] bool write_some(http::TextBuffer& out);

 private:
  void read_sizes();

  const serving::ServerStatus status_;
  std::vector<pid_t> pids_;  // in the order in which they are shown
  std::vector<std::uint64_t> resident_bytes_;
  std::size_t next_size_{0};
  std::size_t next_model_{0};
};

[[nodiscard]] std::string readiness_json(const serving::ServerStatus& status, bool& ready);

}  // namespace yolod::app::api::admin
