// Sets how malloc keeps memory in the front-end.
#pragma once

namespace yolod::app::host {

// Lets malloc keep up to 16 MiB of freed memory at the end of the heap, and puts blocks of up to 16 MiB into the heap.
// Larger blocks are mapped, and return to the kernel when they are freed. Otherwise the front-end
// faults in the memory of each large answer page by page, and returns it to the kernel afterwards. With an answer of
// 0.7 MB a round trip took 0.4 ms longer, and with 5.5 MB 2.7 ms (tools/bench/oip). Call it at the start.
void set_malloc();

}  // namespace yolod::app::host
