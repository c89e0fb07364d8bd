#include "ipc/doorbell.hpp"

#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>

namespace yolod::ipc {

common::Outcome<common::UniqueFd> make_doorbell() {
  common::UniqueFd descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!descriptor.valid()) return common::last_system_error("eventfd");
  return descriptor;
}

void ring_doorbell(int descriptor) {
  const std::uint64_t one = 1;
  // The write fails with EAGAIN only if the counter is at its limit of 2^64. In that case reset the counter and ring
  // again.
  if (write(descriptor, &one, sizeof one) == sizeof one) return;
  std::uint64_t count = 0;
  if (read(descriptor, &count, sizeof count) == sizeof count) {
    [[maybe_unused]] const auto written = write(descriptor, &one, sizeof one);
  }
}

std::uint64_t silence_doorbell(int descriptor) {
  std::uint64_t count = 0;
  iovec place{&count, sizeof count};
  return preadv2(descriptor, &place, 1, -1, RWF_NOWAIT) == sizeof count ? count : 0;
}

}  // namespace yolod::ipc
