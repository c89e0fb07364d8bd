#include "app/http/arena_gate.hpp"

#include <boost/asio/post.hpp>

#include "app/http/await.hpp"

namespace yolod::app {

namespace asio = boost::asio;

ArenaGate::ArenaGate(asio::io_context& io, ipc::InputArena& arena) : io_(io), arena_(arena) {
  arena_.on_room([this] {
    if (waiters_.empty() || scheduled_) return;
    // Not from here: a block may be going while its owner is half way through something.
    scheduled_ = true;
    asio::post(io_, [this] {
      scheduled_ = false;
      serve_waiters();
    });
  });
}

std::optional<ipc::ArenaBlock> ArenaGate::try_reserve(std::uint64_t bytes) {
  if (refusing_ || !waiters_.empty()) return std::nullopt;
  return arena_.allocate(bytes);
}

asio::awaitable<std::optional<ipc::ArenaBlock>> ArenaGate::reserve(std::uint64_t bytes,
                                                                   std::chrono::milliseconds patience) {
  if (refusing_) co_return std::nullopt;
  if (auto block = try_reserve(bytes)) co_return block;
  const auto place = waiters_.insert(waiters_.end(), Waiter{bytes, asio::steady_timer(io_, patience), std::nullopt});
  co_await place->timer.async_wait(kAwait);
  auto block = std::move(place->block);
  waiters_.erase(place);
  // Whoever came while this one stood here waits behind it, and there may have been room all along.
  serve_waiters();
  co_return block;
}

void ArenaGate::serve_waiters() {
  if (refusing_) return;
  for (Waiter& waiter : waiters_) {
    if (waiter.block) continue;  // served, and not yet resumed
    waiter.block = arena_.allocate(waiter.bytes);
    if (!waiter.block) return;
    waiter.timer.cancel();
  }
}

void ArenaGate::refuse_all() {
  refusing_ = true;
  for (Waiter& waiter : waiters_) waiter.timer.cancel();
}

}  // namespace yolod::app
