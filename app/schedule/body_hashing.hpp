// Computes the SHA-256 of requests' bodies, one piece in each turn of the event loop. So a long body and the many
// bodies of a dead worker do not hold up the front-end's only thread.
//
//   added -> waiting -> hashed, 128 KiB a turn -> given to on_hashed with its hash
//
// The object is used on the front-end's only thread. Bodies are hashed in the order of add().
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
  // A piece takes about 0.1 ms, or 0.3 ms on a processor without instructions for SHA-256.
  static constexpr std::size_t kBytesPerTurn = 128 * 1024;

  // `on_hashed` receives each request, in a later turn than add(). `io` outlives this object.
  BodyHashing(boost::asio::io_context& io, std::function<void(std::unique_ptr<Request>)> on_hashed)
      : io_(io), on_hashed_(std::move(on_hashed)) {}

  void add(std::unique_ptr<Request> request);
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  // Calls `visit` for each request that waits for its hash. The requests stay here.
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
