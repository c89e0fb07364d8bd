// Request bodies for the identity model, and checks of its answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/http_client.hpp"

namespace yolod::tests {

// Returns zlib's CRC-32 as eight lower-case hexadecimal digits.
[[nodiscard]] std::string crc32_hex(std::string_view bytes);

// Returns `size` bytes that differ for each seed and never begin with "FAULT:".
[[nodiscard]] std::string random_body(std::size_t size, std::uint64_t seed);

// Returns whether `answer` is the identity model's 200 for exactly that body.
[[nodiscard]] bool is_identity_answer(const Answer& answer, std::string_view body);

// Returns worker_pid of an identity model's answer, or 0 for any other answer.
[[nodiscard]] int answering_worker(const Answer& answer);

}  // namespace yolod::tests
