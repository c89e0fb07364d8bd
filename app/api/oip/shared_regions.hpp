// The regions of POSIX shared memory that clients on this machine have registered. A request may refer to a region for
// the values of an input or an output. The server never maps a region: it copies bytes with pread and pwrite. So a
// client that shortens its object gets an error, and the server does not get a SIGBUS.
//
// oip.shared_memory says which objects may be registered. Without it the server opens none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/config/protocol_config.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::api::oip {

struct SharedRegion {
  std::string key;  // the name of the object, as the client gave it
  std::uint64_t offset{0};
  std::uint64_t bytes{0};
  common::UniqueFd file;
};

// A part of a region that lies within it. The region's object stays open, even if the client unregisters the region.
struct SharedPart {
  std::shared_ptr<const SharedRegion> region;
  std::uint64_t offset{0};  // from the start of the region
  std::uint64_t bytes{0};

  // Copy bytes from or to the part, from its byte `at` on. REQUIRES: they lie within the part. An Error has code
  // kBadRequest: the object has become too short, or it refuses to be written.
  [[nodiscard]] common::Outcome<void> read(std::uint64_t at, std::span<std::byte> to) const;
  [[nodiscard]] common::Outcome<void> write(std::uint64_t at, std::span<const std::byte> from) const;
};

// The front-end owns it and uses it on its only thread. The texts of errors are Triton's.
class SharedRegions {
 public:
  static constexpr std::size_t kMostRegions = 64;
  static constexpr std::size_t kLongestName = 200;

  // `config` outlives this object and may change.
  explicit SharedRegions(const common::OipConfig& config) : config_(config) {}

  [[nodiscard]] bool is_on() const { return !config_.shared_memory.empty(); }

  // Opens the object `key` below /dev/shm. Errors have code kBadRequest, or kInternal if the object cannot be opened.
  [[nodiscard]] common::Outcome<void> add(const std::string& name, const std::string& key, std::uint64_t offset,
                                          std::uint64_t bytes);
  // Does nothing if there is no such region.
  void remove(std::string_view name);
  void remove_all() { regions_.clear(); }

  // An Error has code kBadRequest: there is no such region, or the part does not lie within it.
  [[nodiscard]] common::Outcome<SharedPart> find(std::string_view name, std::uint64_t offset,
                                                 std::uint64_t bytes) const;

  using Regions = std::map<std::string, std::shared_ptr<const SharedRegion>, std::less<>>;
  [[nodiscard]] const Regions& all() const { return regions_; }

 private:
  const common::OipConfig& config_;
  Regions regions_;
};

// Returns whether the name matches the pattern. In a pattern * matches any characters. The time is proportional to the
// product of both lengths at most.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

}  // namespace yolod::app::api::oip
