#include "app/api/oip/shared_regions.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

std::string region_text(std::string_view text) { return "'" + common::printable(text, 100) + "'"; }

Error bad_region(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

// Returns the size of the object, or nothing if it is no regular file.
std::optional<std::uint64_t> size_of(int file) {
  struct stat facts {};
  if (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size < 0) return std::nullopt;
  return static_cast<std::uint64_t>(facts.st_size);
}

Error too_short(const SharedRegion& region) {
  return bad_region("the shared memory object " + region_text(region.key) + " has become too short");
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;  // the place in the name from which the last * is tried again
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// ---- parts ----

Outcome<void> SharedPart::read(std::uint64_t at, std::span<std::byte> to) const {
  while (!to.empty()) {
    const auto place = static_cast<off_t>(region->offset + offset + at);
    const auto got = ::pread(region->file.get(), to.data(), to.size(), place);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return too_short(*region);
    to = to.subspan(static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
  return {};
}

// A write beyond the end would make the object longer, so this function checks its size first.
Outcome<void> SharedPart::write(std::uint64_t at, std::span<const std::byte> from) const {
  const std::uint64_t end = region->offset + offset + at + from.size();
  if (size_of(region->file.get()).value_or(0) < end) return too_short(*region);
  while (!from.empty()) {
    const auto place = static_cast<off_t>(region->offset + offset + at);
    const auto put = ::pwrite(region->file.get(), from.data(), from.size(), place);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      return bad_region("the shared memory object " + region_text(region->key) +
                        " cannot be written: it is sealed, or "
                        "no memory is free");
    }
    from = from.subspan(static_cast<std::size_t>(put));
    at += static_cast<std::uint64_t>(put);
  }
  return {};
}

// ---- regions ----

Outcome<void> SharedRegions::add(const std::string& name, const std::string& key, std::uint64_t offset,
                                 std::uint64_t bytes) {
  if (regions_.contains(name)) return bad_region("shared memory region " + region_text(name) + " already in manager");
  if (name.empty() || name.size() > kLongestName) {
    return bad_region("the name of a shared memory region has 1 to " + std::to_string(kLongestName) + " bytes");
  }
  if (regions_.size() == kMostRegions) {
    return bad_region("a server has at most " + std::to_string(kMostRegions) +
                      " shared memory regions: unregister one");
  }
  const std::string_view object = std::string_view(key).substr(key.starts_with('/') ? 1 : 0);
  // matches() could accept these names, but they are no objects of shared memory.
  const bool is_name = !object.empty() && object.size() <= kLongestName && !object.starts_with('.') &&
                       object.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
  const bool is_allowed = is_name && std::any_of(config_.shared_memory.begin(), config_.shared_memory.end(),
                                                 [object](const std::string& one) { return matches(one, object); });
  if (!is_allowed) return bad_region("oip.shared_memory does not allow the shared memory key " + region_text(key));
  // shm_open follows no symbolic link. Without O_NONBLOCK it would wait for a lease on the object.
  common::UniqueFd file(::shm_open(key.c_str(), O_RDWR | O_NONBLOCK, 0));
  if (!file.valid()) {
    return bad_region("Unable to open shared memory region: " + region_text(key));
  }
  const auto size = size_of(file.get());
  std::uint64_t end = 0;
  if (!size || bytes == 0 || __builtin_add_overflow(offset, bytes, &end) || end > *size) {
    return bad_region("failed to register shared memory region " + region_text(name) + ": invalid args");
  }
  regions_.emplace(name, std::make_shared<const SharedRegion>(SharedRegion{key, offset, bytes, std::move(file)}));
  return {};
}

void SharedRegions::remove(std::string_view name) {
  if (const auto found = regions_.find(name); found != regions_.end()) regions_.erase(found);
}

Outcome<SharedPart> SharedRegions::find(std::string_view name, std::uint64_t offset, std::uint64_t bytes) const {
  const auto found = regions_.find(name);
  if (found == regions_.end()) return bad_region("Unable to find shared memory region: " + region_text(name));
  const std::uint64_t size = found->second->bytes;
  if (offset >= size) return bad_region("Invalid offset for shared memory region: " + region_text(name));
  if (bytes > size - offset) {
    return bad_region("Invalid offset + byte size for shared memory region: " + region_text(name));
  }
  return SharedPart{found->second, offset, bytes};
}

}  // namespace yolod::app::api::oip
