// Anonymous shared memory: a memfd, allocated in full when it is made, sealed against shrinking and growing, mapped
// for as long as this object lives. It has no name, so no kind of death leaves anything behind.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::ipc {

// Movable; the mapping goes with it, at an unchanged address. Errors are kSystem.
class MemfdRegion {
 public:
  // Makes and maps one of `bytes` (at least 1), zeroed, every page allocated now: a write to it later cannot fail.
  // The caller has checked the process's limits (common/system/memory_limit.hpp), since running into them here is
  // fatal. `name` is seen in /proc/PID/maps alone.
  [[nodiscard]] static common::Outcome<MemfdRegion> create(const std::string& name, std::uint64_t bytes);

  enum class Access { kReadOnly, kReadWrite };
  // Maps a region that was inherited or made elsewhere. Refuses a descriptor that could still shrink under the map.
  [[nodiscard]] static common::Outcome<MemfdRegion> open(common::UniqueFd descriptor, Access access);

  // From here on nobody can map it writable, and no further seal can be set: this mapping stays writable.
  [[nodiscard]] common::Outcome<void> seal_against_writers();
  // From here on no further seal can be set.
  [[nodiscard]] common::Outcome<void> seal_against_seals();
  // Keeps it out of core dumps.
  void exclude_from_dumps();

  [[nodiscard]] std::span<std::byte> bytes() const {
    return {static_cast<std::byte*>(region_.get_address()), region_.get_size()};
  }
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  // The descriptor is only needed to hand it on; the mapping outlives it.
  void close_descriptor() { descriptor_.reset(); }

 private:
  MemfdRegion(common::UniqueFd descriptor, boost::interprocess::mapped_region region);

  common::UniqueFd descriptor_;
  boost::interprocess::mapped_region region_;
};

}  // namespace yolod::ipc
