#include "common/config/listen_fields.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "common/config/tables.hpp"
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

std::optional<ListenAddress> read_listener(ConfigReader& reader, const YamlNode& node) {
  ListenAddress listener;
  if (node.kind == YamlNode::Kind::kMap) {
    reader.read_map(node, fields_of(listener));
  } else if (auto address = reader.value_of(node, "an address such as 127.0.0.1:8080, or a map with a socket's path,",
                                            parse_listen_address)) {
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
  if (!listener.mode.has_value() && listener.group.empty()) return YamlNode::string(listener.address);
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
                 if (address.empty()) return std::nullopt;
                 return YamlNode::string(address.substr(std::string_view("unix:").size()));
               },
               true}
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

}  // namespace yolod::common
