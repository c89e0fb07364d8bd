// Moves the memory of this process into pages of 2 MiB where that is possible.
#pragma once

namespace yolod::common {

// Asks the kernel to merge each aligned 2 MiB of private anonymous memory into a huge page, if all of its pages
// exist. A fork then copies one entry instead of 512, and the end of a process frees one page. A range that lacks a
// page stays unchanged, so memory grows only by pages that were read and never written.
//
// The kernel copies the merged memory: about 30 ms for 100 MiB if huge pages are free. The function stops at the
// first range for which the kernel finds no huge page, and then returns false. It does nothing on kernels before Linux
// 6.1, or if huge pages have another size. Throws std::bad_alloc. Any thread may call it while other threads use the
// memory.
bool gather_in_huge_pages();

}  // namespace yolod::common
