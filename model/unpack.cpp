#include "model/unpack.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <memory>
#include <string>

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};

bool is_gzip(std::span<const std::byte> packed) {
  return packed.size() >= 2 && packed[0] == std::byte{0x1F} && packed[1] == std::byte{0x8B};
}

// The first try has room for this many times the size of the content. Each further try doubles the room.
constexpr std::uint64_t kFirstRatio = 4;
constexpr std::uint64_t kLeastBytes = 4096;

}  // namespace

common::Outcome<std::vector<std::byte>> unpack(std::span<const std::byte> packed, std::uint64_t limit_bytes,
                                               const std::function<bool(std::uint64_t bytes)>& reserve) {
  const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(libdeflate_alloc_decompressor());
  if (!decompressor) return Error{ErrorCode::kInternal, "no memory for the decompressor"};
  const auto decompress = is_gzip(packed) ? libdeflate_gzip_decompress_ex : libdeflate_zlib_decompress_ex;
  std::vector<std::byte> bytes;
  for (std::uint64_t size = std::max(kFirstRatio * packed.size(), kLeastBytes);; size *= 2) {
    const std::uint64_t room = std::min(size, limit_bytes);
    if (reserve && !reserve(room)) {
      return Error{ErrorCode::kImageTooComplex,
                   "unable to decompress the request: it needs more memory than limits.max_decode_memory allows"};
    }
    bytes = std::vector<std::byte>();  // frees the memory before the next allocation
    bytes.resize(room);
    std::size_t read = 0;
    std::size_t written = 0;
    switch (decompress(decompressor.get(), packed.data(), packed.size(), bytes.data(), bytes.size(), &read, &written)) {
      case LIBDEFLATE_SUCCESS:
        if (read != packed.size()) {
          return Error{ErrorCode::kBadRequest,
                       "unable to decompress the request: other bytes follow the compressed body"};
        }
        bytes.resize(written);
        return bytes;
      case LIBDEFLATE_INSUFFICIENT_SPACE:
        if (size < limit_bytes) break;
        return Error{ErrorCode::kBadRequest, "unable to decompress the request: it has more than the " +
                                                 std::to_string(limit_bytes) + " bytes that are allowed"};
      default:
        return Error{ErrorCode::kBadRequest, "unable to decompress the request: the body is not gzip or zlib data"};
    }
  }
}

}  // namespace yolod::model
