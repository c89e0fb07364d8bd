// Decompresses content that a client sent with Content-Encoding: gzip or deflate. The first bytes tell which of the two
// it is. Only a worker calls it: the bytes come from outside, and the work would block the front-end's event loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::model {

// Allocates at most `limit_bytes` at a time, whatever the content says. Before it allocates a number of bytes it calls
// `reserve` with the number, unless `reserve` is empty. An Error has code kBadRequest: the content is not one whole
// gzip member or zlib stream, or the result is larger than `limit_bytes`. If `reserve` returns
// false, the Error has code kImageTooComplex. Any thread may call it.
[[nodiscard]] common::Outcome<std::vector<std::byte>> unpack(
    std::span<const std::byte> packed, std::uint64_t limit_bytes,
    const std::function<bool(std::uint64_t bytes)>& reserve = {});

}  // namespace yolod::model
