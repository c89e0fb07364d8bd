// Sets how malloc keeps memory in a worker or loader.
#pragma once

namespace yolod::worker {

// For the load: each large block becomes a mapping of its own. Memory that the load frees midway, such as weights
// before their reordering, then returns to the kernel instead of leaving holes that every worker would fill while it
// serves. REQUIRES: no large block has been allocated yet.
void set_malloc_for_loading();

// For serving: a batch of pictures allocates and frees tens of MiB. If malloc returned them to the kernel each time,
// the next batch would fault them in page by page. REQUIRES: no other thread allocates meanwhile.
void set_malloc_for_serving();

}  // namespace yolod::worker
