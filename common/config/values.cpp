#include "common/config/values.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "common/text.hpp"

namespace yolod::common {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// The smallest unit comes first, because the formatters use the last unit that divides the value.
constexpr std::array<Unit, 4> kSizeUnits{{{"B", 1}, {"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}}};
constexpr std::array<Unit, 3> kTimeUnits{{{"ms", 1}, {"s", 1000}, {"m", 60'000}}};
constexpr std::array<Unit, 2> kPixelUnits{{{"", 1}, {"MP", 1'000'000}}};

Error refusal(std::string message) { return {ErrorCode::kBadConfig, std::move(message)}; }

template <typename T>
std::optional<T> whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool starts_with_digit(std::string_view text) { return !text.empty() && text.front() >= '0' && text.front() <= '9'; }

std::optional<double> real(std::string_view text) {
  // from_chars also reads "inf" and "nan". A number here begins with a digit, or with a sign and a digit.
  const std::string_view unsigned_text = text.starts_with('-') ? text.substr(1) : text;
  if (!starts_with_digit(unsigned_text)) return std::nullopt;
  const auto value = whole<double>(text);
  if (!value.has_value() || !std::isfinite(*value)) return std::nullopt;
  return value;
}

// Returns number * factor: "1.5" and 1024 give 1536. Returns nullopt if the product is not whole or does not fit.
std::optional<std::uint64_t> scaled(std::string_view number, std::uint64_t factor) {
  if (!starts_with_digit(number)) return std::nullopt;
  if (const auto count = whole<std::uint64_t>(number)) {
    if (*count > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
    return *count * factor;
  }
  const auto value = real(number);
  if (!value.has_value()) return std::nullopt;
  const double product = *value * static_cast<double>(factor);
  constexpr double kExactLimit = 9007199254740992.0;  // 2^53: a double represents every smaller whole number exactly
  if (product >= kExactLimit) return std::nullopt;
  const double rounded = std::round(product);
  if (std::abs(product - rounded) > 1e-6) return std::nullopt;
  return static_cast<std::uint64_t>(rounded);
}

// Parses a number with one of the units. A number without a unit uses `bare_unit`, if there is one.
std::optional<std::uint64_t> with_unit(std::string_view text, std::span<const Unit> units, std::uint64_t bare_unit) {
  const std::size_t number_end = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, number_end);
  if (number_end == std::string_view::npos) {
    return bare_unit == 0 ? std::nullopt : scaled(number, bare_unit);
  }
  const std::string_view unit_name = text.substr(number_end);
  for (const Unit& unit : units) {
    if (unit.name == unit_name) return scaled(number, unit.factor);
  }
  return std::nullopt;
}

std::string in_largest_unit(std::uint64_t value, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) best = &unit;
  }
  return std::to_string(value / best->factor) + std::string(best->name);
}

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

Outcome<std::string> parse_unix_address(std::string_view text, std::string_view path) {
  constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;
  if (!path.starts_with('/') || path.ends_with('/')) {
    return refusal(shown(text) + " is not a socket, unix: takes an absolute path such as unix:/run/yolod/http.sock");
  }
  if (path.size() > kLongestPath) {
    return refusal(shown(text) + " is too long, a socket's path has at most " + std::to_string(kLongestPath) +
                   " bytes");
  }
  return std::string(text);
}

}  // namespace

Outcome<std::uint64_t> parse_count(std::string_view text) {
  const auto value = whole<std::uint64_t>(text);
  if (!value.has_value()) return refusal(shown(text) + " is not a whole number");
  return *value;
}

Outcome<double> parse_real(std::string_view text) {
  const auto value = real(text);
  if (!value.has_value()) return refusal(shown(text) + " is not a number");
  return *value;
}

Outcome<double> parse_fraction(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto numerator = real(text.substr(0, slash));
  const auto denominator = slash == std::string_view::npos ? 1.0 : real(text.substr(slash + 1));
  if (numerator.has_value() && denominator.has_value() && std::isfinite(*numerator / *denominator)) {
    return *numerator / *denominator;
  }
  return refusal(shown(text) + " is not a number, a number or a fraction such as 1/255 is allowed");
}

Outcome<std::uint64_t> parse_size(std::string_view text) {
  const auto value = with_unit(text, kSizeUnits, 1);
  if (!value.has_value()) {
    return refusal(shown(text) + " is not a size, allowed: bytes, or a number with B, KiB, MiB or GiB, such as 16MiB");
  }
  return *value;
}

Outcome<milliseconds> parse_time(std::string_view text) {
  constexpr std::uint64_t kLongest = 365ULL * 24 * 3600 * 1000;  // keeps every sum of times far from overflow
  const auto value = text == "0" ? std::uint64_t{0} : with_unit(text, kTimeUnits, 0);
  if (!value.has_value()) {
    return refusal(shown(text) + " is not a time, allowed: a number with ms, s or m, such as 500ms, or 0");
  }
  if (*value > kLongest) return refusal(shown(text) + " is longer than a year");
  return milliseconds(*value);
}

Outcome<std::uint64_t> parse_pixels(std::string_view text) {
  const auto value = with_unit(text, kPixelUnits, 1);
  if (!value.has_value()) {
    return refusal(shown(text) + " is not a number of pixels, allowed: a whole number or one with MP, such as 100MP");
  }
  return *value;
}

Outcome<std::string> parse_listen_address(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix_address(text, text.substr(5));
  const std::string_view forms =
      ", allowed: 127.0.0.1:8080, \"[::1]:8080\" (in quotes) or unix:/run/yolod/http.sock; for every address write "
      "0.0.0.0:8080, or \"[::]:8080\" for those of IPv6";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return refusal(shown(text) + " is not an address with a port" + std::string(forms));
  }
  const auto port = starts_with_digit(text.substr(colon + 1)) ? whole<std::uint16_t>(text.substr(colon + 1))
                                                              : std::optional<std::uint16_t>{};
  if (!port.has_value()) {
    return refusal(shown(text) + " has no port between 0 and 65535 after its last colon" + std::string(forms));
  }
  const std::string host(text.substr(0, colon));
  const std::string port_text = ":" + std::to_string(*port);
  if (host == "localhost") return "127.0.0.1" + port_text;
  if (host == "*") return refusal(shown(text) + " is not allowed, for every address write 0.0.0.0" + port_text);
  if (host.starts_with('[') && host.ends_with(']') && is_ipv6(host.substr(1, host.size() - 2))) {
    return host + port_text;
  }
  if (is_ipv6(host)) return refusal(shown(text) + " needs brackets, write \"[" + host + "]" + port_text + "\"");
  if (is_ipv4(host)) return host + port_text;
  return refusal(shown(host) + " is not a numeric address, and names are not looked up" + std::string(forms));
}

Outcome<std::string> parse_device(std::string_view text) {
  constexpr std::uint32_t kLastCudaDevice = 127;
  if (text == "cpu") return std::string(text);
  if (text.starts_with("cuda:")) {
    const auto index = whole<std::uint32_t>(text.substr(5));
    if (index.has_value() && *index <= kLastCudaDevice) return "cuda:" + std::to_string(*index);
  }
  return refusal(shown(text) + " is not a device, allowed: auto, cpu, cuda:0 to cuda:" +
                 std::to_string(kLastCudaDevice) + ", or a list of devices");
}

std::string format_size(std::uint64_t bytes) { return in_largest_unit(bytes, kSizeUnits); }

std::string format_time(milliseconds time) {
  return in_largest_unit(static_cast<std::uint64_t>(time.count()), kTimeUnits);
}

std::string format_pixels(std::uint64_t pixels) { return in_largest_unit(pixels, kPixelUnits); }

std::string format_real(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc{} ? std::string(buffer.data(), end) : std::string("0");
}

std::string shown(std::string_view text) { return '"' + printable(text, 60) + '"'; }

}  // namespace yolod::common
