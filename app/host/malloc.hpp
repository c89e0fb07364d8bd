// Sets how malloc keeps memory in the front-end.
#pragma once

namespace yolod::app::host {

// Lets malloc keep up to 16 MiB of freed memory at the end of the heap, and puts blocks of up to 16 MiB into the heap.
// Larger blocks are mapped, and return to the kernel when they are freed. By default malloc returns the memory of
// each large answer, and the next answer faults it in page by page. That costs 0.4 ms for an answer of 0.7 MB, and
// 2.7 ms for an answer of 5.5 MB (tools/bench/oip). Call it at the start.
void set_malloc();

}  // namespace yolod::app::host
