#include "app/access/trusted_proxies.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "common/text.hpp"

namespace yolod::app::access {
namespace {

using common::ForwardedHeader;
using common::IpAddress;

// Removes the text after the last comma, and the comma, from `list` and returns the text.
std::string_view take_last(std::string_view& list) {
  const auto comma = list.rfind(',');
  const auto last = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
  return common::trimmed(last);
}

// Reads an address with or without a port: 192.0.2.7, 192.0.2.7:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80.
std::optional<IpAddress> address_in(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    return end == std::string_view::npos ? std::nullopt : IpAddress::parse(text.substr(1, end - 1));
  }
  const auto colon = text.find(':');
  // An IPv6 address has several colons.
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    text = text.substr(0, colon);
  }
  return IpAddress::parse(text);
}

bool is_token_character(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kMarks.find(c) != std::string_view::npos;
}

// The last entries of a list, which is read from its beginning. A text may be empty.
class LastTexts {
 public:
  void add(std::string_view text) { texts_[added_++ % texts_.size()] = text; }
  [[nodiscard]] std::size_t size() const { return std::min(added_, texts_.size()); }
  // REQUIRES: index < size().
  [[nodiscard]] std::string_view from_end(std::size_t index) const {
    return texts_[(added_ - 1 - index) % texts_.size()];
  }

 private:
  std::array<std::string_view, TrustedProxies::kMostHops> texts_{};
  std::size_t added_{0};
};

// Reads a field Forwarded from its beginning, because a comma may be in quotes (RFC 7239, 4).
class ForwardedReader {
 public:
  explicit ForwardedReader(std::string_view text) : left_(text) {}

  // Adds the value of "for" of each element, without quotes, or an empty text. Returns false if the field does not
  // follow the grammar.
  bool read(LastTexts& nodes) {
    for (;;) {
      std::string_view node;
      bool has_pair = false;
      do {
        skip_blanks();
        if (left_.empty() || left_.front() == ',' || left_.front() == ';') continue;  // pairs and elements may be empty
        if (!read_pair(node)) return false;
        has_pair = true;
      } while (take(';'));
      if (has_pair) nodes.add(node);
      if (left_.empty()) return true;
      if (!take(',')) return false;
    }
  }

 private:
  void skip_blanks() { left_.remove_prefix(std::min(left_.find_first_not_of(" \t"), left_.size())); }

  bool take(char wanted) {
    skip_blanks();
    if (!left_.starts_with(wanted)) return false;
    left_.remove_prefix(1);
    return true;
  }

  std::string_view take_token() {
    const auto* const end = std::find_if_not(left_.begin(), left_.end(), is_token_character);
    const auto token = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
    left_.remove_prefix(token.size());
    return token;
  }

  bool read_pair(std::string_view& node) {
    skip_blanks();
    const auto name = take_token();
    if (name.empty() || !left_.starts_with('=')) return false;
    left_.remove_prefix(1);
    std::string_view value;
    if (left_.starts_with('"')) {
      if (!read_quoted(value)) return false;
    } else {
      value = take_token();
      if (value.empty()) return false;
    }
    skip_blanks();
    const bool is_for =
        name.size() == 3 && (name[0] | 0x20) == 'f' && (name[1] | 0x20) == 'o' && (name[2] | 0x20) == 'r';
    if (is_for) node = value;
    return true;
  }

  // An address has no escaped byte, so the value keeps its escapes.
  bool read_quoted(std::string_view& value) {
    for (std::size_t end = 1; end < left_.size(); ++end) {
      if (left_[end] == '\\') {
        ++end;
      } else if (left_[end] == '"') {
        value = left_.substr(1, end - 1);
        left_.remove_prefix(end + 1);
        return true;
      }
    }
    return false;
  }

  std::string_view left_;
};

// Calls `visit` with each hop from the end of the list, until it returns false. A hop that cannot be read is an empty
// text, and the last one.
template <typename Visit>
void for_each_hop_of_list(const LastValues& lists, Visit visit) {
  for (std::size_t i = 0; i < lists.size(); ++i) {
    std::string_view list = lists.from_end(i);
    do {
      if (!visit(take_last(list))) return;
    } while (!list.empty());
  }
}

// Does the same for the fields Forwarded.
template <typename Visit>
void for_each_hop_of_elements(const LastValues& fields, Visit visit) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    LastTexts nodes;
    if (!ForwardedReader(fields.from_end(i)).read(nodes)) return (void)visit(std::string_view());
    for (std::size_t node = 0; node < nodes.size(); ++node) {
      if (!visit(nodes.from_end(node))) return;
    }
  }
}

}  // namespace

void TrustedProxies::configure(const std::vector<std::string>& proxies, common::ForwardedHeader header) {
  header_ = header;
  ranges_.clear();
  trusts_unix_ = false;
  for (const std::string& proxy : proxies) {
    if (proxy == common::kUnixProxies) {
      trusts_unix_ = true;
    } else if (const auto range = common::IpRange::parse(proxy)) {
      ranges_.push_back(*range);
    }
  }
}

bool TrustedProxies::trusts(const IpAddress& address) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const auto& range) { return range.contains(address); });
}

bool TrustedProxies::trusts(const PeerAddress& peer) const {
  return peer.is_unix() ? trusts_unix_ : peer.is_ip() && trusts(peer.ip());
}

bool TrustedProxies::reads(const Forwarding& forwarding) const {
  return header_ == ForwardedHeader::kForwarded ? !forwarding.forwarded.empty() : !forwarding.x_forwarded_for.empty();
}

Network TrustedProxies::client_of(const PeerAddress& peer, const Forwarding& forwarding) const {
  Network client = peer.is_unix() ? Network::hidden() : peer.network();
  bool is_loopback = peer.is_ip() && peer.ip().is_loopback();
  std::size_t hops = 0;
  const auto visit = [&](std::string_view hop) {
    const auto address = address_in(hop);
    if (!address) {
      if (is_loopback) client = Network::hidden();
      return false;
    }
    client = Network::of(*address);
    is_loopback = address->is_loopback();
    return trusts(*address) && ++hops < kMostHops;
  };
  if (header_ == ForwardedHeader::kForwarded) {
    for_each_hop_of_elements(forwarding.forwarded, visit);
  } else {
    for_each_hop_of_list(forwarding.x_forwarded_for, visit);
  }
  return client;
}

}  // namespace yolod::app::access
