#include "worker/malloc.hpp"

#include <malloc.h>

namespace yolod::worker {

void set_malloc_for_loading() {
  mallopt(M_ARENA_MAX, 1);  // threads that compute in turn would each keep a batch's memory in an arena of their own
  mallopt(M_MMAP_THRESHOLD, 1 << 20);  // fixed by this: otherwise it grows with the first large block that is freed
}

void set_malloc_for_serving() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that malloc allows
  mallopt(M_TRIM_THRESHOLD, 128 << 20);
}

}  // namespace yolod::worker
