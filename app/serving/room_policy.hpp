// Decides which of the waiting requests gets room in the arena next. The functions are pure: they depend only on
// sizes.
//
//   - A body takes room only if enough bytes stay free after that: its own size, but at most an eighth of the share.
//     So a body that is smaller than the bodies that fill the arena finds room.
//   - A body that does not fit does not block the smaller bodies behind it.
//   - No body waits without end: after blocks of twice the whole share were given to other bodies, it is next.
#pragma once

#include <cstdint>

namespace yolod::app::serving {

// The part of the arena that unfinished bodies may take, and the part that they take now.
struct UploadRoom {
  std::uint64_t share_bytes{0};
  std::uint64_t used_bytes{0};
};

// Returns the room that must be free for a body of this size: its own size, and the part that stays free for smaller
// bodies. REQUIRES: bytes <= share_bytes.
[[nodiscard]] std::uint64_t wanted_room(std::uint64_t bytes, std::uint64_t share_bytes);

// Returns how many bytes of room a body of this size lacks, or 0 if it may take room now.
[[nodiscard]] std::uint64_t missing_room(std::uint64_t bytes, const UploadRoom& room);

// Returns whether other bodies may pass a body that has waited while `given_bytes` were given to other bodies.
[[nodiscard]] bool may_be_passed(std::uint64_t given_bytes, std::uint64_t share_bytes);

}  // namespace yolod::app::serving
