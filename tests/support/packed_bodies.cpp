#include "tests/support/packed_bodies.hpp"

#include <libdeflate.h>

#include <memory>

namespace yolod::tests {
namespace {

template <typename Compress, typename Bound>
std::string packed_by(Compress compress, Bound bound, std::string_view bytes) {
  constexpr int kLevel = 6;
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(kLevel), &libdeflate_free_compressor);
  std::string packed(bound(compressor.get(), bytes.size()), '\0');
  packed.resize(compress(compressor.get(), bytes.data(), bytes.size(), packed.data(), packed.size()));
  return packed;
}

}  // namespace

std::string gzipped(std::string_view bytes) {
  return packed_by(libdeflate_gzip_compress, libdeflate_gzip_compress_bound, bytes);
}

std::string deflated(std::string_view bytes) {
  return packed_by(libdeflate_zlib_compress, libdeflate_zlib_compress_bound, bytes);
}

std::optional<std::string> unpacked(std::string_view packed, std::size_t most_bytes) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  std::string bytes(most_bytes, '\0');
  std::size_t size = 0;
  const auto decompress = packed.starts_with('\x1F') ? libdeflate_gzip_decompress : libdeflate_zlib_decompress;
  if (decompress(decompressor.get(), packed.data(), packed.size(), bytes.data(), bytes.size(), &size) !=
      LIBDEFLATE_SUCCESS) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace yolod::tests
