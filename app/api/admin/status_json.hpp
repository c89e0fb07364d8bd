// Writes the JSON of GET /status and GET /readyz from plain values. Only the front-end's thread calls it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/http/text_buffer.hpp"
#include "app/serving/status.hpp"

namespace yolod::app::api::admin {

// Writes the answer to GET /status in pieces that each take well below 1 ms, however many workers there are. All
// values are from one moment, except the resident sizes of processes, which it reads from /proc.
class StatusWriter {
 public:
  explicit StatusWriter(serving::ServerStatus status);

  // Appends the next piece. Returns true when the answer is complete.
  [[nodiscard]] bool write_some(http::TextBuffer& out);

 private:
  void read_sizes();

  const serving::ServerStatus status_;
  std::vector<pid_t> pids_;  // in the order of the answer
  std::vector<std::uint64_t> resident_bytes_;
  std::size_t next_size_{0};
  std::size_t next_model_{0};
};

[[nodiscard]] std::string readiness_json(const serving::ServerStatus& status, bool& ready);

}  // namespace yolod::app::api::admin
