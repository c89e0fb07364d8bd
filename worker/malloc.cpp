#include "worker/malloc.hpp"

#include <malloc.h>

namespace yolod::worker {

void set_malloc_for_loading() {
  // otherwise threads that compute in turn would each keep a batch's memory in an arena of their own
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);  // a fixed value: otherwise malloc raises it when the first large block is freed
}

void set_malloc_for_serving() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest value that malloc allows
  mallopt(M_TRIM_THRESHOLD, 128 << 20);
}

}  // namespace yolod::worker
