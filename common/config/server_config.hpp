// The settings of the server as plain values. common/config/schema.hpp reads them. Any thread may use a copy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.hpp"

namespace yolod::common {

struct TlsConfig {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path client_ca;
  [[nodiscard]] bool empty() const { return certificate.empty(); }
  friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

struct ListenAddress {
  std::string address;  // host:port, [v6]:port, or unix:/path
  // The mode and the group of a unix socket's file. By default the umask and the process's group determine them.
  std::optional<std::uint32_t> mode{};
  std::string group{};  // a name or a number
  // A TCP address may have TLS files. If it has none, the files of server.tls count.
  TlsConfig tls{};
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// The word in `trusted_proxies` for the clients of unix sockets.
inline constexpr std::string_view kUnixProxies = "unix";

// Says which pages of other sites may use the server from a browser (the Fetch standard calls this CORS).
struct CorsConfig {
  // The list has origins such as https://cameras.example, and "*" for every site. An empty list allows none.
  std::vector<std::string> origins;
  bool credentials{false};  // browsers may send the session of a person; not with "*"
  milliseconds max_age{600'000};
  friend bool operator==(const CorsConfig&, const CorsConfig&) = default;
};

// The word in `origins` for every site.
inline constexpr std::string_view kEveryOrigin = "*";

// The header field in which trusted proxies write the address of their client.
enum class ForwardedHeader : std::uint8_t {
  kXForwardedFor,
  kForwarded,  // RFC 7239
};

struct ServerConfig {
  std::vector<ListenAddress> listen{{"127.0.0.1:8080"}};
  // The address where the server accepts /status, /metrics and reloads. "auto" makes a socket in the runtime
  // directory, and then `listen` also accepts /status and /metrics. With "unix:/path" only that socket accepts them.
  // With an empty text no socket accepts them, and only signals control the server.
  std::string admin_listen{"auto"};
  // This list has addresses and ranges of proxies (common/ip_address.hpp), and "unix" for the clients of unix sockets.
  // The server believes them which address their client has.
  std::vector<std::string> trusted_proxies{};
  CorsConfig cors{};
  // The server ignores the other field, because a client may have written it.
  ForwardedHeader forwarded_header{ForwardedHeader::kXForwardedFor};
  std::uint64_t max_body_bytes{16ULL << 20U};
  std::uint32_t max_connections{4096};
  milliseconds header_timeout{10'000};
  milliseconds body_timeout{30'000};
  milliseconds write_timeout{30'000};
  milliseconds idle_timeout{75'000};  // longer than load balancers keep an idle connection (60 s)
  milliseconds drain_delay{0};
  milliseconds shutdown_timeout{25'000};
  TlsConfig tls;
  std::filesystem::path api_keys_file;
  bool insecure{false};                // other machines may use the server without a key
  std::filesystem::path state_dir;     // empty: the server keeps nothing
  std::filesystem::path models_dir{};  // empty: the config has all models
  friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

struct MemoryConfig {
  std::uint64_t input_arena_bytes{256ULL << 20U};
  friend bool operator==(const MemoryConfig&, const MemoryConfig&) = default;
};

}  // namespace yolod::common
