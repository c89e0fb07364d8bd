#include "app/host/malloc.hpp"

#include <malloc.h>

namespace yolod::app::host {

void set_malloc() {
  constexpr int kMebibyte = 1 << 20;
  mallopt(M_TRIM_THRESHOLD, 16 * kMebibyte);
  mallopt(M_MMAP_THRESHOLD, 16 * kMebibyte);
}

}  // namespace yolod::app::host
