// Implements the paths below /v2/systemsharedmemory and /v2/cudasharedmemory: status, register and unregister. The
// server has no memory of CUDA, but Triton's clients unregister all of it before they begin.
//
// A client sees and unregisters its own regions. An admin also sees the regions of the others, and unregisters them by
// their names.
//
// With an empty oip.shared_memory each path is 404.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/api/oip/shared_regions.hpp"
#include "app/api/oip/small_body_exchange.hpp"

namespace yolod::app::api::oip {

class SharedMemoryExchange final : public SmallBodyExchange {
 public:
  enum class Action { kStatus, kRegister, kUnregister };
  enum class Memory { kSystem, kCuda };

  // `metrics` and `regions` outlive this object. The first capture of the route, if there is one, is a region's name.
  SharedMemoryExchange(observe::Metrics& metrics, SharedRegions& regions, Memory memory, Action action)
      : SmallBodyExchange(metrics), regions_(regions), memory_(memory), action_(action) {}

 private:
  [[nodiscard]] common::Outcome<void> look_at(const http::RequestView& request) override;
  [[nodiscard]] Next act(std::string_view body, http::Response& response) override;
  [[nodiscard]] Next write_status(http::Response& response);
  [[nodiscard]] Next add(std::string_view body, http::Response& response);

  SharedRegions& regions_;
  const Memory memory_;
  const Action action_;
  // Returns the regions that the caller sees and that have the name.
  [[nodiscard]] std::vector<std::pair<std::string_view, const SharedRegion*>> visible() const;
  void remove();

  std::string name_;  // empty: all regions
  RegionOwner owner_;
  bool is_admin_{false};
};

}  // namespace yolod::app::api::oip
