// The settings of the server itself as plain values. Read by common/config/schema.hpp. Values only: any thread, copied
// at will.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.hpp"

namespace yolod::common {

struct TlsConfig {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path client_ca;
  friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

struct ListenAddress {
  std::string address;  // host:port, [v6]:port, or unix:/path
  // Of a unix socket's file: what the umask makes of it, and the process's group, where these are not given.
  std::optional<std::uint32_t> mode{};
  std::string group{};  // a name or a number
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

struct ServerConfig {
  std::vector<ListenAddress> listen{{"127.0.0.1:8080"}};
  // Where /status, /metrics and reloads are asked for: "auto" (a socket in the runtime directory, and the first two
  // also at `listen`), "unix:/path" (there alone), or empty: nowhere but by signals.
  std::string admin_listen{"auto"};
  std::uint64_t max_body_bytes{16ULL << 20U};
  std::uint32_t max_connections{4096};
  milliseconds header_timeout{10'000};
  milliseconds body_timeout{30'000};
  milliseconds write_timeout{30'000};
  milliseconds idle_timeout{75'000};  // more than the 60 s after which load balancers give up an idle connection
  milliseconds drain_delay{0};
  milliseconds shutdown_timeout{25'000};
  TlsConfig tls;
  std::filesystem::path api_keys_file;
  friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

struct MemoryConfig {
  std::uint64_t input_arena_bytes{256ULL << 20U};
  friend bool operator==(const MemoryConfig&, const MemoryConfig&) = default;
};

}  // namespace yolod::common
