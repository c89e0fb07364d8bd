#include "common/config/listen_fields.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "common/config/tables.hpp"
#include "common/ip_address.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::common {
namespace {

// Accepts the octal number that chmod takes, such as 0660.
std::string format_file_mode(std::uint32_t mode) {
  std::string text = "0000";
  for (std::size_t i = text.size(); i-- > 0; mode /= 8) text[i] = static_cast<char>('0' + mode % 8);
  return text;
}

Outcome<std::uint32_t> parse_file_mode(std::string_view text) {
  std::uint32_t mode = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  constexpr std::uint32_t kMost = 0777;
  if (failure != std::errc{} || end != text.data() + text.size() || mode > kMost) {
    return Error{ErrorCode::kBadConfig,
                 shown(text) + " is not a mode, allowed: an octal number up to 0777 such as 0660"};
  }
  return mode;
}

constexpr std::string_view kUnixPrefix = "unix:";

// Returns whether a browser may send this text as the Origin of a page.
bool is_origin(std::string_view text) {
  constexpr std::size_t kLongest = 300;
  constexpr std::string_view kScheme = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
  constexpr std::string_view kHost = "abcdefghijklmnopqrstuvwxyz0123456789-._:[]";
  const auto colon = text.find("://");
  if (text.size() > kLongest || colon == 0 || colon == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view host = text.substr(colon + 3);
  if ((scheme == "http" && host.ends_with(":80")) || (scheme == "https" && host.ends_with(":443"))) return false;
  return !host.empty() && scheme.find_first_not_of(kScheme) == std::string_view::npos &&
         host.find_first_not_of(kHost) == std::string_view::npos;
}

bool is_unix(const std::string& address) { return address.starts_with(kUnixPrefix); }

// Checks rules between the keys of a listener's map.
void check_listener(ConfigReader& reader, const YamlNode& node, const ListenAddress& listener) {
  const bool has_address = node.find("address") != nullptr;
  const bool has_path = node.find("path") != nullptr;
  if (has_address == has_path) {
    reader.problem(node.mark, has_path ? "address and path are given, one of them is allowed"
                                       : "neither address nor path is given, one of them is needed");
    return;
  }
  if (listener.address.empty()) return;  // the problem of the address is reported
  const auto refuse = [&reader, &node](std::string_view key, const char* why) {
    const YamlNode* const value = node.find(key);
    if (value == nullptr) return;
    reader.read_below(key, *value, [why](ConfigReader& below, const YamlNode& at) { below.problem(at.mark, why); });
  };
  if (is_unix(listener.address)) {
    if (listener.tls != TlsConfig{}) refuse("tls", "a unix socket has no TLS, a TCP address is needed");
  } else {
    if (listener.mode) refuse("mode", "a TCP address has no file, a unix socket is needed");
    if (!listener.group.empty()) refuse("group", "a TCP address has no file, a unix socket is needed");
  }
}

std::optional<ListenAddress> read_listener(ConfigReader& reader, const YamlNode& node) {
  ListenAddress listener;
  if (node.kind == YamlNode::Kind::kMap) {
    reader.read_map(node, fields_of(listener));
    check_listener(reader, node, listener);
  } else if (auto address = reader.value_of(
                 node, "an address such as 127.0.0.1:8080, or a map with an address or path,", parse_listen_address)) {
    listener.address = *std::move(address);
  }
  if (listener.address.empty()) return std::nullopt;
  return listener;
}

void read_listen(ConfigReader& reader, const YamlNode& node, std::vector<ListenAddress>& listen) {
  constexpr std::size_t kMaxListeners = 64;
  if (node.kind != YamlNode::Kind::kSequence) {
    if (auto listener = read_listener(reader, node)) listen = {*std::move(listener)};
    return;
  }
  if (node.items.empty() || node.items.size() > kMaxListeners) {
    reader.problem(node.mark, "a list of " + std::to_string(node.items.size()) + ", 1 to " +
                                  std::to_string(kMaxListeners) + " addresses are allowed");
    return;
  }
  listen.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    reader.read_below(
        '[' + std::to_string(i) + ']', node.items[i], [&listen](ConfigReader& below, const YamlNode& item) {
          auto listener = read_listener(below, item);
          if (!listener) return;
          const bool is_there = std::any_of(listen.begin(), listen.end(), [&listener](const ListenAddress& other) {
            return other.address == listener->address;
          });
          // With port 0 the kernel chooses another port for each address, so two such addresses are not the same.
          if (is_there && !listener->address.ends_with(":0")) {
            below.problem(item.mark, shown(listener->address) + " is in the list twice, each address is allowed once");
          }
          listen.push_back(*std::move(listener));
        });
  }
}

YamlNode written_listener(ListenAddress listener) {
  if (!listener.mode.has_value() && listener.group.empty() && listener.tls == TlsConfig{})
    return YamlNode::string(listener.address);
  return write_map(fields_of(listener));
}

}  // namespace

Field listen_field(std::vector<ListenAddress>& listen) {
  Field field{"listen", [&listen](ConfigReader& reader, const YamlNode& node) { read_listen(reader, node, listen); },
              [&listen]() -> std::optional<YamlNode> {
                YamlNode list = YamlNode::sequence();
                for (const ListenAddress& listener : listen) list.items.push_back(written_listener(listener));
                return list;
              }};
  field.allowed =
      "an address such as 127.0.0.1:8080, \"[::1]:8080\" or unix:/run/yolod/http.sock, a map as below, or a list of "
      "these";
  field.show_keys = show_keys_of<ListenAddress>;
  field.is_list = true;
  return field;
}

Field admin_listen_field(std::string& value) {
  Field field = string_field("admin_listen", value);
  field.allowed = "auto, an address, or \"\" for none";
  field.read = [&value](ConfigReader& reader, const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kScalar && (node.text.empty() || node.text == kAdminListenAuto)) {
      value = node.text;
    } else if (auto address = reader.value_of(node, "auto, an address (\"\" for none)", parse_listen_address)) {
      value = *std::move(address);
    }
  };
  field.write = [&value]() -> std::optional<YamlNode> {
    return value == kAdminListenAuto ? YamlNode::plain(value) : YamlNode::string(value);
  };
  return field;
}

Field trusted_proxies_field(std::vector<std::string>& proxies) {
  constexpr std::size_t kMostProxies = 64;
  Field field = strings_field("trusted_proxies", proxies);
  field.read = [&proxies](ConfigReader& reader, const YamlNode& node) {
    if (node.kind != YamlNode::Kind::kSequence || node.items.size() > kMostProxies) {
      reader.problem(node.mark, "a list of at most " + std::to_string(kMostProxies) +
                                    " addresses such as [10.0.0.5, 10.1.0.0/16, unix] is needed");
      return;
    }
    proxies.clear();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&proxies](ConfigReader& below, const auto& at) {
        auto text = below.text_of(at, "an address, a range or unix");
        if (!text.has_value()) return;
        if (*text != kUnixProxies) {
          if (const auto range = IpRange::parse(*text); !range) {
            return below.problem(at.mark, shown(*text) + " " + range.error().message);
          }
        }
        proxies.push_back(*std::move(text));
      });
    }
  };
  return std::move(field).allows("a list of addresses and ranges such as [10.0.0.5, 10.1.0.0/16, unix]");
}

Field origins_field(std::vector<std::string>& origins) {
  constexpr std::size_t kMostOrigins = 64;
  Field field = strings_field("origins", origins);
  field.read = [&origins](ConfigReader& reader, const YamlNode& node) {
    if (node.kind != YamlNode::Kind::kSequence || node.items.size() > kMostOrigins) {
      reader.problem(node.mark, "a list of at most " + std::to_string(kMostOrigins) +
                                    " origins such as [https://cameras.example] is needed");
      return;
    }
    origins.clear();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&origins](ConfigReader& below, const auto& at) {
        auto text = below.text_of(at, "an origin");
        if (!text.has_value()) return;
        if (*text != kEveryOrigin && !is_origin(*text)) {
          return below.problem(at.mark, shown(*text) +
                                            " is no origin as browsers send it, allowed: \"*\", or a scheme and a host "
                                            "in lower case, and a port unless it is the scheme's own, such as "
                                            "https://cameras.example");
        }
        origins.push_back(*std::move(text));
      });
    }
  };
  return std::move(field).allows(
      "a list of origins such as [https://cameras.example, \"http://192.168.1.5:8123\"], or [\"*\"]");
}

Field cors_field(CorsConfig& cors) {
  Field field = section_field("cors", cors);
  field.read = [&cors](ConfigReader& reader, const YamlNode& node) {
    reader.read_map(node, fields_of(cors));
    const bool every = std::find(cors.origins.begin(), cors.origins.end(), kEveryOrigin) != cors.origins.end();
    if (every && cors.credentials) {
      reader.problem(node.mark, "credentials is true and origins has \"*\", name the origins that may use sessions");
    }
  };
  return field;
}

Field address_field(std::string& address) {
  return Field{"address",
               [&address](ConfigReader& reader, const YamlNode& node) {
                 if (auto read = reader.value_of(node, "an address such as 127.0.0.1:8080", parse_listen_address)) {
                   address = *std::move(read);
                 }
               },
               [&address]() -> std::optional<YamlNode> {
                 if (address.empty() || is_unix(address)) return std::nullopt;
                 return YamlNode::string(address);
               }}
      .allows("an address such as 127.0.0.1:8443, \"[::1]:8443\" or unix:/run/yolod/http.sock");
}

Field socket_path_field(std::string& address) {
  return Field{"path",
               [&address](ConfigReader& reader, const YamlNode& node) {
                 const auto text = reader.text_of(node, "a socket's path such as /run/yolod/http.sock");
                 if (!text.has_value()) return;
                 auto read = parse_listen_address("unix:" + *text);
                 if (!read) return reader.problem(node.mark, read.error().message);
                 address = *std::move(read);
               },
               [&address]() -> std::optional<YamlNode> {
                 if (!is_unix(address)) return std::nullopt;
                 return YamlNode::string(address.substr(kUnixPrefix.size()));
               }}
      .allows("an absolute path");
}

Field socket_mode_field(std::optional<std::uint32_t>& mode) {
  return Field{"mode",
               [&mode](ConfigReader& reader, const YamlNode& node) {
                 mode = reader.value_of(node, "an octal number such as 0660", parse_file_mode);
               },
               [&mode]() -> std::optional<YamlNode> {
                 if (!mode.has_value()) return std::nullopt;
                 return YamlNode::plain(format_file_mode(*mode));
               }}
      .allows("an octal number up to 0777, such as 0660");
}

Field tls_field(TlsConfig& tls) {
  Field field = section_field("tls", tls);
  field.read = [&tls](ConfigReader& reader, const YamlNode& node) {
    reader.read_map(node, fields_of(tls));
    if (tls.certificate.empty() != tls.key.empty()) {
      reader.problem(node.mark, "a certificate and its key belong together, give both or neither");
    }
    if (!tls.client_ca.empty() && tls.certificate.empty()) {
      reader.problem(node.mark, "client_ca is given, it needs certificate and key");
    }
  };
  return field;
}

}  // namespace yolod::common
