#include "tests/support/bodies.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstring>

namespace yolod::tests {
namespace {

// Returns the next number of splitmix64.
std::uint64_t next(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

}  // namespace

std::string crc32_hex(std::string_view bytes) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", libdeflate_crc32(0, bytes.data(), bytes.size()));
  return text.data();
}

std::string random_body(std::size_t size, std::uint64_t seed) {
  std::string body(size, '\0');
  std::uint64_t state = seed;
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = next(state);
    std::memcpy(body.data() + at, &word, std::min(sizeof word, size - at));
  }
  if (size > 0 && body[0] == 'F') body[0] = 'f';
  return body;
}

bool is_identity_answer(const Answer& answer, std::string_view body) {
  if (!answer.answered() || answer.status != 200) return false;
  const auto value = answer.json();
  const auto* object = value.if_object();
  if (object == nullptr) return false;
  const auto* success = object->if_contains("success");
  const auto* bytes = object->if_contains("bytes");
  const auto* crc32 = object->if_contains("crc32");
  return success != nullptr && *success == true && bytes != nullptr && *bytes == body.size() && crc32 != nullptr &&
         *crc32 == boost::json::value(crc32_hex(body).c_str());
}

int answering_worker(const Answer& answer) {
  const auto value = answer.json();
  const auto* object = value.if_object();
  const auto* pid = object != nullptr ? object->if_contains("worker_pid") : nullptr;
  return pid != nullptr && pid->is_number() ? pid->to_number<int>() : 0;
}

}  // namespace yolod::tests
