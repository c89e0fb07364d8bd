// The memory of this process in pages of 2 MiB, where it can be.
#pragma once

#include <cstddef>
#include <cstdint>

namespace yolod::common {

// Asks the kernel to put each aligned 2 MiB of private anonymous memory whose pages are all there into one huge page,
// and returns how many bytes it did. Memory does not grow by this: an aligned 2 MiB that lacks a page stays as it is.
// A fork then copies one entry for 512 pages, and the end of a process frees one. It copies what it gathers, about
// 1 ms for 4 MiB. Does nothing, and returns 0, where the kernel is older than Linux 6.1 or has no huge pages.
// Throws std::bad_alloc. Any thread, while no other thread maps or unmaps memory.
std::uint64_t gather_in_huge_pages();

}  // namespace yolod::common
