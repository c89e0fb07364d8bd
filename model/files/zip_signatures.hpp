// The signatures at the start of a zip file's records (APPNOTE.TXT, 4.3), for the reader and the writer.
#pragma once

#include <cstdint>

namespace yolod::model::zip {

inline constexpr std::uint32_t kLocalSignature = 0x04034b50;      // before each file
inline constexpr std::uint32_t kDirectorySignature = 0x02014b50;  // before each file's entry in the central directory
inline constexpr std::uint32_t kEndSignature = 0x06054b50;  // after the central directory, the last record of the file
inline constexpr std::uint32_t kEnd64Signature = 0x06064b50;
inline constexpr std::uint32_t kLocator64Signature = 0x07064b50;

}  // namespace yolod::model::zip
