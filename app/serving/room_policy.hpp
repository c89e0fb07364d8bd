// Who of those that wait for room in the arena gets it next. A pure function of sizes. No sockets.
//
//   - A body leaves as much room free as it takes itself, at most an eighth of all. So a body that is smaller than
//     those that fill the arena finds room, whatever the larger ones do.
//   - A body that does not fit does not keep those behind it from being served.
//   - Nobody is passed for ever: a body that has waited while twice the whole share was given away is the next.
#pragma once

#include <cstdint>

namespace yolod::app::serving {

// What unfinished bodies may take of the arena, and what they take now.
struct UploadRoom {
  std::uint64_t share_bytes{0};
  std::uint64_t used_bytes{0};
};

// What must be free for a body of that size: itself, and what it leaves to smaller ones.
// REQUIRES: bytes <= share_bytes.
[[nodiscard]] std::uint64_t wanted_room(std::uint64_t bytes, std::uint64_t share_bytes);

// How much too little room there is for such a body; 0 if it may be taken now.
[[nodiscard]] std::uint64_t missing_room(std::uint64_t bytes, const UploadRoom& room);

// Whether others may still pass a body that has waited while `given_bytes` were given away.
[[nodiscard]] bool may_be_passed(std::uint64_t given_bytes, std::uint64_t share_bytes);

}  // namespace yolod::app::serving
