#include "app/accounts/protocol/password_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "app/accounts/protocol/settings.hpp"
#include "common/text.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::accounts::protocol {

common::Outcome<Secret> read_password_file(const std::filesystem::path& path) {
  const std::string name = common::printable(path.string());
  // O_NONBLOCK: to open a FIFO would wait for a writer.
  const common::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat about {};
  if (!file.valid() || fstat(file.get(), &about) != 0) {
    return common::last_system_error("cannot read postgres.password_file " + name);
  }
  if (!S_ISREG(about.st_mode)) {
    return common::Error{common::ErrorCode::kBadConfig, "postgres.password_file " + name + " is not a file"};
  }
  std::array<char, kMaxSettingBytes + 2> bytes{};
  const ssize_t size = read(file.get(), bytes.data(), bytes.size());
  if (size < 0) return common::last_system_error("cannot read postgres.password_file " + name);
  std::string_view text(bytes.data(), static_cast<std::size_t>(size));
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  const bool fits = text.size() <= kMaxSettingBytes;
  Secret password(fits ? text : std::string_view());
  sodium_memzero(bytes.data(), bytes.size());
  if (!fits) {
    return common::Error{common::ErrorCode::kBadConfig,
                         "postgres.password_file " + name + " is longer than 1024 bytes"};
  }
  return password;
}

}  // namespace yolod::app::accounts::protocol
