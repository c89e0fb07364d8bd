// A relay between a client and a server on this machine. It forwards bytes in both directions until cut() turns it into
// a network that delivers nothing: no byte arrives, no connection ends, and no side receives an error.
//
// The relay has its own thread. Any thread may call its functions.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "common/unique_fd.hpp"

namespace yolod::tests {

class Relay {
 public:
  // Forwards to this port of 127.0.0.1. Throws if there is no socket.
  explicit Relay(std::uint16_t to_port);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  // Returns the port of 127.0.0.1 to which a client connects.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void cut();
  // The bytes that were sent during the cut arrive now, as after a repaired network.
  void restore();

 private:
  void run();
  void wake() const;

  const std::uint16_t to_port_;
  common::UniqueFd listening_;
  common::UniqueFd wake_;
  std::uint16_t port_{0};
  std::atomic<bool> is_cut_{false};
  std::atomic<bool> stops_{false};
  std::thread thread_;
};

}  // namespace yolod::tests
