// How malloc keeps memory in a worker or loader.
#pragma once

namespace yolod::worker {

// For the time of loading: each large block is a mapping of its own. What a load frees midway, such as weights that
// were read and then reordered, goes back to the kernel, instead of leaving holes that serving would fill in every
// worker. Call it before the first large block.
void set_malloc_for_loading();

// For the time of serving: a batch of pictures is tens of MiB that come and go; given back to the kernel each time,
// they would come back a page fault at a time. No other thread may allocate meanwhile.
void set_malloc_for_serving();

}  // namespace yolod::worker
