#include "model/files/read_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "common/system/plain_file.hpp"
#include "common/text.hpp"
#include "model/bad_model.hpp"

namespace yolod::model {

using common::Error;
using common::ErrorCode;
using common::Outcome;

Outcome<std::string> read_file(const std::filesystem::path& file, std::size_t max_bytes) {
  std::error_code status;
  const auto type = std::filesystem::status(file, status).type();
  if (type == std::filesystem::file_type::not_found) return bad_model(file.string() + ": no such file");
  if (status) return bad_model(file.string() + ": " + status.message());
  if (type != std::filesystem::file_type::regular) return bad_model(file.string() + ": not a regular file");

  const auto opened = common::open_plain_file(file);
  if (!opened) return bad_model(file.string() + ": " + opened.error().message);
  // Read to the end instead of trusting an earlier size, because the file may grow meanwhile.
  std::string bytes;
  std::string chunk(64 * 1024, '\0');
  for (;;) {
    const ssize_t count = ::read(opened->get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return bad_model(file.string() + ": cannot be read");
    if (count == 0) break;
    bytes.append(chunk, 0, static_cast<std::size_t>(count));
    if (bytes.size() > max_bytes) {
      return bad_model(file.string() + ": larger than " + std::to_string(max_bytes) +
                       " bytes, the limit for this file");
    }
  }
  return bytes;
}

Outcome<std::string> read_text(const std::filesystem::path& file, std::size_t max_bytes) {
  auto text = read_file(file, max_bytes);
  if (!text) return text;
  if (text->starts_with("\xFF\xFE") || text->starts_with("\xFE\xFF"))
    return bad_model(file.string() + ": the text is UTF-16; save it as UTF-8");
  text->erase(0, text->size() - common::without_byte_order_mark(*text).size());
  return text;
}

}  // namespace yolod::model
