// A PrivateRoom is memory for a body that may have a secret. No worker can read it, no core dump has it, and the kernel
// clears it when the room is freed. A protocol that parses the body may copy a key to the heap, which workers cannot
// read either. A core dump of the front-end has the heap; only root can make one (app/main).
//
// The exchange of the request owns it and uses it on the front-end's only thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace yolod::app::api {

class PrivateRoom {
 public:
  PrivateRoom() = default;
  PrivateRoom(PrivateRoom&& other) noexcept;
  PrivateRoom& operator=(PrivateRoom&& other) noexcept;
  PrivateRoom(const PrivateRoom&) = delete;
  PrivateRoom& operator=(const PrivateRoom&) = delete;
  ~PrivateRoom() { free(); }

  // Returns nothing if the kernel gives no memory. The pages take memory when they are written for the first time.
  [[nodiscard]] static std::optional<PrivateRoom> allocate(std::uint64_t bytes);

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  // Gives the whole pages before `offset` back to the kernel. Their bytes are zero afterwards. A room that is given
  // back in steps does not hold the event loop when it is freed.
  void give_back_before(std::size_t offset);
  // Frees the room in several turns of the event loop, because the kernel needs more than 1 ms for a large room.
  static void free_in_turns(PrivateRoom room, const boost::asio::io_context::executor_type& executor);

 private:
  explicit PrivateRoom(std::span<std::byte> bytes) : bytes_(bytes) {}
  void free();

  std::span<std::byte> bytes_;
  std::size_t given_back_bytes_{0};
};

}  // namespace yolod::app::api
