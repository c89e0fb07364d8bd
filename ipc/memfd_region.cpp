#include "ipc/memfd_region.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <boost/interprocess/exceptions.hpp>
#include <cerrno>
#include <utility>

namespace yolod::ipc {
namespace {

namespace bip = boost::interprocess;
using common::last_system_error;
using common::Outcome;
using common::UniqueFd;

// mapped_region accepts any type with a get_mapping_handle(). This type lets it map a descriptor that this process
// owns.
class MappableDescriptor {
 public:
  explicit MappableDescriptor(int descriptor) : descriptor_(descriptor) {}
  [[nodiscard]] bip::mapping_handle_t get_mapping_handle() const {
    return bip::ipcdetail::mapping_handle_from_file_handle(descriptor_);
  }

 private:
  int descriptor_;
};

Outcome<bip::mapped_region> map(int descriptor, bip::mode_t mode) {
  try {
    return bip::mapped_region(MappableDescriptor(descriptor), mode);
  } catch (const bip::interprocess_exception& failure) {
    return common::system_error("cannot map shared memory", failure.get_native_error());
  }
}

Outcome<void> add_seals(int descriptor, int seals) {
  if (fcntl(descriptor, F_ADD_SEALS, seals) != 0) return last_system_error("cannot seal shared memory");
  return {};
}

}  // namespace

MemfdRegion::MemfdRegion(UniqueFd descriptor, bip::mapped_region region)
    : descriptor_(std::move(descriptor)), region_(std::move(region)) {}

Outcome<MemfdRegion> MemfdRegion::create(const std::string& name, std::uint64_t bytes) {
  UniqueFd descriptor(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!descriptor.valid()) return last_system_error("memfd_create");
  int failure = EINTR;  // SIGSTOP and SIGCONT can interrupt the allocation
  while (failure == EINTR) failure = posix_fallocate(descriptor.get(), 0, static_cast<off_t>(bytes));
  if (failure != 0) {
    return common::system_error("cannot allocate " + std::to_string(bytes) + " bytes of shared memory", failure);
  }
  if (auto sealed = add_seals(descriptor.get(), F_SEAL_SHRINK | F_SEAL_GROW); !sealed) return sealed.error();
  auto region = map(descriptor.get(), bip::read_write);
  if (!region) return region.error();
  return MemfdRegion(std::move(descriptor), std::move(region).value());
}

Outcome<MemfdRegion> MemfdRegion::open(UniqueFd descriptor, Access access) {
  const int seals = fcntl(descriptor.get(), F_GET_SEALS);
  if (seals < 0) return last_system_error("shared memory has no seals");
  if ((seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW)) {
    return common::Error{common::ErrorCode::kSystem, "shared memory is not sealed against shrinking"};
  }
  auto region = map(descriptor.get(), access == Access::kReadOnly ? bip::read_only : bip::read_write);
  if (!region) return region.error();
  return MemfdRegion(std::move(descriptor), std::move(region).value());
}

Outcome<void> MemfdRegion::seal_against_writers() {
  return add_seals(descriptor_.get(), F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
}

Outcome<void> MemfdRegion::seal_against_seals() { return add_seals(descriptor_.get(), F_SEAL_SEAL); }

void MemfdRegion::exclude_from_dumps() { madvise(region_.get_address(), region_.get_size(), MADV_DONTDUMP); }

}  // namespace yolod::ipc
