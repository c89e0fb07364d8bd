// These functions make the keys of system.yaml that say where the server listens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/fields.hpp"
#include "common/config/server_config.hpp"

namespace yolod::common {

// `listen` takes one address or a list of addresses. An address can be a map: a TCP address with its TLS files, or a
// unix socket with its mode and group.
[[nodiscard]] Field listen_field(std::vector<ListenAddress>& listen);
// `admin_listen` takes an address, auto, or nothing.
[[nodiscard]] Field admin_listen_field(std::string& address);
// `trusted_proxies` takes a list of addresses and ranges, and unix.
[[nodiscard]] Field trusted_proxies_field(std::vector<std::string>& proxies);
// `cors` takes a map. `credentials` cannot be true if every site is an origin.
[[nodiscard]] Field cors_field(CorsConfig& cors);
// `origins` takes a list of origins, and "*".
[[nodiscard]] Field origins_field(std::vector<std::string>& origins);
// `address` names a TCP address or a unix socket.
[[nodiscard]] Field address_field(std::string& address);
// `path` names a unix socket. The value gets unix: in front.
[[nodiscard]] Field socket_path_field(std::string& address);
// `mode` is the octal number that chmod takes.
[[nodiscard]] Field socket_mode_field(std::optional<std::uint32_t>& mode);
// `tls` takes a map of files. A certificate and its key must be given together, and client_ca only with them.
[[nodiscard]] Field tls_field(TlsConfig& tls);

}  // namespace yolod::common
