// Anonymous shared memory: a memfd that is allocated in full when it is made, sealed against shrinking and growing,
// and mapped as long as this object lives. It has no name, so it leaves nothing behind when a process dies.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::ipc {

// Movable; the mapping moves with the object and keeps its address. Every Error has the code kSystem.
class MemfdRegion {
 public:
  // Makes and maps a zeroed region of `bytes` (at least 1). Every page is allocated now, so a later write cannot
  // fail. REQUIRES: the caller has checked the process's memory limits (common/system/memory_limit.hpp), because
  // exceeding them here kills the process. `name` appears only in /proc/PID/maps.
  [[nodiscard]] static common::Outcome<MemfdRegion> create(const std::string& name, std::uint64_t bytes);

  enum class Access { kReadOnly, kReadWrite };
  // Maps a region that another process made, or that was inherited. Refuses a descriptor that is not sealed against
  // shrinking.
  [[nodiscard]] static common::Outcome<MemfdRegion> open(common::UniqueFd descriptor, Access access);

  // After this call no process can map the region writable, and no further seal can be set. This mapping stays
  // writable.
  [[nodiscard]] common::Outcome<void> seal_against_writers();
  // After this call no further seal can be set.
  [[nodiscard]] common::Outcome<void> seal_against_seals();
  // Excludes the region from core dumps.
  void exclude_from_dumps();

  [[nodiscard]] std::span<std::byte> bytes() const {
    return {static_cast<std::byte*>(region_.get_address()), region_.get_size()};
  }
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  // The mapping outlives the descriptor, which only serves to pass the region to another process.
  void close_descriptor() { descriptor_.reset(); }

 private:
  MemfdRegion(common::UniqueFd descriptor, boost::interprocess::mapped_region region);

  common::UniqueFd descriptor_;
  boost::interprocess::mapped_region region_;
};

}  // namespace yolod::ipc
