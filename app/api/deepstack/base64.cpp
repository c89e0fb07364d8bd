#include "app/api/deepstack/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace yolod::app::api::deepstack {

// The text is made in a small buffer, because EVP_EncodeBlock() writes a NUL after it.
void append_base64(http::TextBuffer& out, std::span<const std::byte> bytes) {
  constexpr std::size_t kPieceBytes = 3 * 1024;
  std::array<unsigned char, kPieceBytes / kBase64Group * 4 + 1> text{};
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(kPieceBytes, bytes.size()));
    const int length = EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(piece.data()),
                                       static_cast<int>(piece.size()));
    out += std::string_view(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length));
    bytes = bytes.subspan(piece.size());
  }
}

}  // namespace yolod::app::api::deepstack
