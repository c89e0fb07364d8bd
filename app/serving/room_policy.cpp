#include "app/serving/room_policy.hpp"

#include <algorithm>

namespace yolod::app::serving {

std::uint64_t wanted_room(std::uint64_t bytes, std::uint64_t share_bytes) {
  constexpr std::uint64_t kPartLeftFree = 8;
  return bytes + std::min({bytes, share_bytes / kPartLeftFree, share_bytes - bytes});
}

std::uint64_t missing_room(std::uint64_t bytes, const UploadRoom& room) {
  const std::uint64_t free = room.share_bytes - std::min(room.share_bytes, room.used_bytes);
  if (bytes > room.share_bytes) return bytes - free;  // a body above the whole share never fits
  const std::uint64_t wanted = wanted_room(bytes, room.share_bytes);
  return wanted - std::min(wanted, free);
}

bool may_be_passed(std::uint64_t given_bytes, std::uint64_t share_bytes) { return given_bytes < 2 * share_bytes; }

}  // namespace yolod::app::serving
