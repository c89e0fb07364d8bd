// The regions of shared memory that clients on this machine have registered. A request may refer to a region for the
// values of an input or an output.
//
// oip.shared_memory says which objects may be registered. Without it the server opens none.
//
// A region belongs to the client that has registered it: the person or key of the request, or its address if it has no
// credential. Another client neither sees nor uses it, and may have a region of the same name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/access/caller.hpp"
#include "app/api/oip/copy_thread.hpp"
#include "app/api/oip/shared_region.hpp"
#include "common/clock.hpp"
#include "common/config/protocol_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::oip {

// Names a client. Two callers have the same text only if they are the same client.
using RegionOwner = std::string;
[[nodiscard]] RegionOwner region_owner_of(const access::Caller& caller);

// The front-end owns it and uses it on its only thread. The texts of errors are Triton's.
class SharedRegions {
 public:
  static constexpr std::size_t kMostRegions = 64;  // of one client
  // Each object has a descriptor. A request keeps the objects of its regions, also of regions that its client has
  // unregistered meanwhile, so they count too.
  static constexpr std::size_t kMostObjects = 256;
  static constexpr std::size_t kMostObjectsOfOne = 64;
  static constexpr std::size_t kLongestName = 200;
  // The server fills holes of objects only while its control group has more memory left.
  static constexpr std::uint64_t kKeptBytes = 64ULL << 20U;

  // Returns how much memory this process may still allocate.
  using LeftBytes = std::function<std::uint64_t()>;

  // `config` outlives this object and may change. `thread` copies the bytes, and outlives this object. Without it each
  // copy is done at once. `left_bytes` is for tests.
  explicit SharedRegions(const common::OipConfig& config, CopyThread* thread = nullptr, LeftBytes left_bytes = {});

  [[nodiscard]] bool is_on() const { return !config_.shared_memory.empty(); }
  [[nodiscard]] CopyThread* thread() const { return thread_; }

  // Opens the object `key` below /dev/shm. Errors have code kBadRequest.
  [[nodiscard]] common::Outcome<void> add(const RegionOwner& owner, const std::string& name, const std::string& key,
                                          std::uint64_t offset, std::uint64_t bytes);
  // Return false if there is no such region.
  bool remove(const RegionOwner& owner, std::string_view name);
  bool remove_of_all(std::string_view name);
  void remove_all(const RegionOwner& owner) { regions_.erase(owner); }
  // Removes the regions that the config no longer allows. Call it after a reload.
  void remove_forbidden();

  // An Error has code kBadRequest: there is no such region, or the part does not lie within it.
  [[nodiscard]] common::Outcome<SharedPart> find(const RegionOwner& owner, std::string_view name, std::uint64_t offset,
                                                 std::uint64_t bytes) const;

  using Regions = std::map<std::string, std::shared_ptr<const SharedRegion>, std::less<>>;
  // The regions of each client that has some.
  [[nodiscard]] const std::map<RegionOwner, Regions>& all() const { return regions_; }
  [[nodiscard]] const Regions& of(const RegionOwner& owner) const;

  // Returns whether a write may fill holes of an object. grew() tells how much memory a write has taken.
  [[nodiscard]] bool may_grow(common::Clock::time_point now);
  void grew(std::uint64_t bytes) { grown_bytes_ += bytes; }

 private:
  struct Object {
    RegionOwner owner;
    std::weak_ptr<const SharedRegion> region;
  };

  [[nodiscard]] bool is_allowed(std::string_view key) const;
  [[nodiscard]] common::Outcome<void> check_room(const RegionOwner& owner);

  const common::OipConfig& config_;
  CopyThread* const thread_;
  const LeftBytes left_bytes_;
  std::map<RegionOwner, Regions> regions_;
  std::vector<Object> objects_;  // that are open, and some that were
  // The memory that was left at that time, and the memory that writes have taken since.
  std::uint64_t left_then_{0};
  std::uint64_t grown_bytes_{0};
  std::optional<common::Clock::time_point> looked_at_;
};

// Returns whether the name matches the pattern. In a pattern * matches any characters. The time is proportional to the
// product of both lengths at most.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

}  // namespace yolod::app::api::oip
