#include "app/access/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <unordered_set>

#include "common/log.hpp"
#include "common/text.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::access {
namespace {

namespace protocol = accounts::protocol;
using common::Error;
using common::ErrorCode;
using common::Outcome;

Error bad(std::string message) { return {ErrorCode::kBadConfig, std::move(message)}; }

// Takes the text up to the next `separator` from `rest`, with the separator.
std::string_view take_until(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto taken = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return taken;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= protocol::kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), [](char character) {
           return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
                  (character >= '0' && character <= '9') || character == '-' || character == '_' || character == '.';
         });
}

std::optional<std::uint32_t> scopes_in(std::string_view words) {
  struct Word {
    std::string_view name;
    std::uint32_t scope;
  };
  static constexpr std::array<Word, 4> kWords{{{"models", protocol::kScopeModels},
                                               {"predict", protocol::kScopePredict},
                                               {"load", protocol::kScopeLoad},
                                               {"admin", protocol::kScopeAdmin}}};
  std::uint32_t scopes = 0;
  while (!words.empty()) {
    const auto word = take_until(words, ',');
    const auto* const known =
        std::find_if(kWords.begin(), kWords.end(), [word](const Word& one) { return one.name == word; });
    if (known == kWords.end()) return std::nullopt;
    scopes |= known->scope;
  }
  return scopes;
}

// Returns the beginning of a day such as 2027-01-31 in UTC, in seconds since 1970.
std::optional<protocol::Seconds> day_in(std::string_view text) {
  constexpr std::string_view kForm = "2027-01-31";
  if (text.size() != kForm.size() || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [text](std::size_t from, std::size_t count) -> std::optional<unsigned> {
    unsigned value = 0;
    const char* const begin = text.data() + from;
    const auto [end, failure] = std::from_chars(begin, begin + count, value);
    if (failure != std::errc{} || end != begin + count) return std::nullopt;
    return value;
  };
  const auto year = number(0, 4);
  const auto month = number(5, 2);
  const auto day = number(8, 2);
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::sys_days(date).time_since_epoch()).count();
}

Outcome<FileKey> parse_line(std::string_view line) {
  FileKey key;
  const auto name = take_until(line, ':');
  if (!is_name(name)) {
    return bad(
        "the name before the first colon is not valid, allowed: 1 to 64 letters, digits, dots, hyphens and "
        "underscores");
  }
  const auto digest = protocol::digest_from_hex(take_until(line, ':'));
  if (!digest) {
    return bad(
        "after the name there is no SHA-256 of a key, needed: 64 digits of 0 to 9 and a to f, as printf %s KEY "
        "| sha256sum prints them");
  }
  key.name = name;
  key.digest = *digest;
  if (line.empty()) return key;
  const auto words = take_until(line, ':');
  if (!words.empty()) {
    const auto scopes = scopes_in(words);
    if (!scopes) return bad("a scope is not known, allowed: models, predict, load and admin, joined by commas");
    key.scopes = *scopes;
  }
  if (line.empty()) return key;
  const auto expires = day_in(line);
  if (!expires)
    return bad("the day at its end is not valid, needed: the first day without the key, such as 2027-01-31");
  key.expires = *expires;
  return key;
}

}  // namespace

Outcome<std::vector<FileKey>> parse_key_file(std::string_view text) {
  std::vector<FileKey> keys;
  std::unordered_set<std::string> names;
  std::unordered_set<protocol::Digest, protocol::DigestHash, protocol::DigestEqual> digests;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = common::trimmed(take_until(text, '\n'));
    if (line.empty() || line.front() == '#') continue;
    const auto refuse = [number](const std::string& why) { return bad("line " + std::to_string(number) + ": " + why); };
    auto key = parse_line(line);
    if (!key) return refuse(key.error().message);
    if (keys.size() == kMostFileKeys) {
      return refuse("the file has more than " + std::to_string(kMostFileKeys) + " keys; use accounts for more");
    }
    if (!names.insert(key->name).second) return refuse("another line has the same name, each name is allowed once");
    if (!digests.insert(key->digest).second) return refuse("another line has the same key, each key is allowed once");
    keys.push_back(std::move(*key));
  }
  return keys;
}

Outcome<std::vector<FileKey>> read_key_file(const std::filesystem::path& file, KeyFileReader reader) {
  // O_NONBLOCK: to open a FIFO would wait for a writer.
  const common::UniqueFd descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat about {};
  if (!descriptor.valid() || fstat(descriptor.get(), &about) != 0) {
    return bad(common::last_system_error(file.string() + " cannot be opened").message);
  }
  if (!S_ISREG(about.st_mode)) return bad(file.string() + " is not a file");
  if ((about.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return bad(file.string() +
               " can be read by every user, or changed by others than its owner; chmod 600 or 640 takes that away");
  }
  if (about.st_uid != 0 && about.st_uid != geteuid() && reader == KeyFileReader::kCheck && geteuid() == 0) {
    common::log_info("{} belongs to the user with the id {}; the server must run as that user to read it",
                     file.string(), about.st_uid);
  } else if (about.st_uid != 0 && about.st_uid != geteuid()) {
    return bad(file.string() + " belongs to another user; it must belong to the server's user or to root");
  }
  std::string text;
  std::array<char, 16'384> piece{};
  while (text.size() <= kMostKeyFileBytes) {
    const ssize_t count = ::read(descriptor.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return bad(common::last_system_error(file.string() + " cannot be read").message);
    if (count == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  if (text.size() > kMostKeyFileBytes) {
    return bad(file.string() + " is larger than " + std::to_string(kMostKeyFileBytes / 1024) + " KiB");
  }
  auto keys = parse_key_file(text);
  if (!keys) return bad(file.string() + ": " + keys.error().message);
  return keys;
}

}  // namespace yolod::app::access
