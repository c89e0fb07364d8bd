#include "app/http/request_id.hpp"

#include <algorithm>
#include <cstdint>
#include <random>

#include "app/http/characters.hpp"

namespace yolod::app::http {

bool is_sane_request_id(std::string_view text) {
  return !text.empty() && text.size() <= RequestId::static_capacity &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
                  c == '-';
         });
}

RequestId new_request_id() {
  // A random start and an odd step visit all 2^64 values before one repeats.
  static std::uint64_t next = [] {
    std::random_device entropy;
    return (static_cast<std::uint64_t>(entropy()) << 32U) | entropy();
  }();
  next += 0x9E3779B97F4A7C15ULL;
  constexpr int kDigits = 16;
  RequestId id(kDigits, '0');
  write_hex(next, id.data(), kDigits);
  return id;
}

}  // namespace yolod::app::http
