// Makes the SHA-256 of requests' bodies, a piece in each turn of the event loop: a long body must not hold up the
// front-end's one thread, and neither must the many bodies that a dead worker leaves.
//
//   given -> waits -> is hashed, 128 KiB a turn -> handed back with its hash
//
// Front-end only, its one thread. Bodies are hashed in the order in which they were given.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "app/schedule/quarantine.hpp"
#include "app/schedule/request.hpp"
#include "common/lifeline.hpp"

namespace yolod::app::schedule {

class BodyHashing {
 public:
  // Some 0.1 ms; 0.3 ms on a processor without instructions for SHA-256.
  static constexpr std::size_t kBytesPerTurn = 128 * 1024;

  // `on_hashed` gets each request back, in a later turn than the one that gave it. `io` outlives this object.
  BodyHashing(boost::asio::io_context& io, std::function<void(std::unique_ptr<Request>)> on_hashed)
      : io_(io), on_hashed_(std::move(on_hashed)) {}

  void add(std::unique_ptr<Request> request);
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  // The requests that it has, for what happens to them meanwhile. They stay.
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (auto& request : waiting_) visit(*request);
  }

 private:
  void go_on();
  void hash_piece();

  boost::asio::io_context& io_;
  const std::function<void(std::unique_ptr<Request>)> on_hashed_;
  std::deque<std::unique_ptr<Request>> waiting_;  // the first is being hashed
  std::optional<BodyHasher> hasher_;
  std::size_t hashed_bytes_{0};  // of the first
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::schedule
