// These functions make the keys of system.yaml that say where the server listens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/fields.hpp"
#include "common/config/server_config.hpp"

namespace yolod::common {

// `listen` takes one address or a list of addresses. A unix socket can be a map with its path, mode and group.
[[nodiscard]] Field listen_field(std::vector<ListenAddress>& listen);
// `admin_listen` takes an address, auto, or nothing.
[[nodiscard]] Field admin_listen_field(std::string& address);
// `path` is required and names a unix socket. The value gets unix: in front.
[[nodiscard]] Field socket_path_field(std::string& address);
// `mode` is the octal number that chmod takes.
[[nodiscard]] Field socket_mode_field(std::optional<std::uint32_t>& mode);

}  // namespace yolod::common
