// Reads server.api_keys_file. Each line is a key:
//
//   # a comment
//   NAME:SHA256
//   NAME:SHA256:SCOPES
//   NAME:SHA256:SCOPES:EXPIRES
//
// SHA256 is the SHA-256 of the key as 64 lower-case hexadecimal digits. SCOPES are words of models, predict, load and
// admin, joined by commas, or empty for models,predict. EXPIRES is a date of UTC such as 2027-01-31; the key is not
// valid from the beginning of that day on. An Error names the line and the allowed values. It never shows the line,
// because it may have a key in place of a digest.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "app/access/door.hpp"
#include "common/outcome.hpp"

namespace yolod::app::access {

inline constexpr std::size_t kMostFileKeys = 1000;
inline constexpr std::size_t kMostKeyFileBytes = 256 * 1024;

enum class KeyFileReader {
  kServer,
  // A check before a start. If root checks, the server may run as another user later, and the file may belong to that
  // user. The log has the user.
  kCheck,
};

// Reads the file. The Error (kBadConfig) also says if other users can read or change the file. The file is read at
// once, in less than 1 ms.
[[nodiscard]] common::Outcome<std::vector<FileKey>> read_key_file(const std::filesystem::path& file,
                                                                  KeyFileReader reader = KeyFileReader::kServer);

// Parses the text of such a file.
[[nodiscard]] common::Outcome<std::vector<FileKey>> parse_key_file(std::string_view text);

}  // namespace yolod::app::access
