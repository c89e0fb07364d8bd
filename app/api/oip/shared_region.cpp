#include "app/api/oip/shared_region.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::uint64_t kBlockBytes = 512;  // of stat::st_blocks

struct ObjectFacts {
  std::uint64_t size_bytes{0};
  std::uint64_t memory_bytes{0};
};

// Returns nothing if the object is no regular file.
std::optional<ObjectFacts> facts_of(int file) {
  struct stat facts {};
  if (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size < 0) return std::nullopt;
  return ObjectFacts{static_cast<std::uint64_t>(facts.st_size),
                     static_cast<std::uint64_t>(facts.st_blocks) * kBlockBytes};
}

// Follows no symbolic link and enters no other file system. A client can mount a file system (FUSE) on its object, and
// then every call for the object could wait without end. Without O_NONBLOCK the call would wait for a lease.
common::UniqueFd open_object(const char* name) {
  const common::UniqueFd folder(::open("/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct statfs system {};
  if (!folder.valid() || ::fstatfs(folder.get(), &system) != 0 || system.f_type != TMPFS_MAGIC) return {};
  open_how how{};
  how.flags = O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  return common::UniqueFd(static_cast<int>(::syscall(SYS_openat2, folder.get(), name, &how, sizeof how)));
}

}  // namespace

std::string region_text(std::string_view text) { return "'" + common::printable(text, 100) + "'"; }

Error bad_region(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

Outcome<std::shared_ptr<SharedRegion>> SharedRegion::open(const std::string& name, const std::string& key,
                                                          std::uint64_t offset, std::uint64_t bytes) {
  common::UniqueFd file = open_object(key.c_str() + (key.starts_with('/') ? 1 : 0));
  if (!file.valid()) return bad_region("Unable to open shared memory region: " + region_text(key));
  const auto facts = facts_of(file.get());
  std::uint64_t end = 0;
  if (!facts || bytes == 0 || __builtin_add_overflow(offset, bytes, &end) || end > facts->size_bytes) {
    return bad_region("failed to register shared memory region " + region_text(name) + ": invalid args");
  }
  auto region = std::make_shared<SharedRegion>();
  region->key = key;
  region->offset = offset;
  region->bytes = bytes;
  region->file = std::move(file);
  return region;
}

SharedRegion::~SharedRegion() {
  if (close && file.valid()) close(std::move(file));
}

CopyResult copy_from(const SharedPart& part, std::uint64_t at, std::span<std::byte> to) {
  const SharedRegion& region = *part.region;
  while (!to.empty()) {
    const auto place = static_cast<off_t>(region.offset + part.offset + at);
    const auto got = ::pread(region.file.get(), to.data(), to.size(), place);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return CopyResult::kTooShort;
    to = to.subspan(static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
  return CopyResult::kDone;
}

// A write beyond the end would make the object longer, so this function checks its size first.
CopyResult copy_to(const SharedPart& part, std::uint64_t at, std::span<const std::byte> from, bool may_grow,
                   std::uint64_t& grown_bytes) {
  const SharedRegion& region = *part.region;
  grown_bytes = 0;
  const std::uint64_t begin = region.offset + part.offset + at;
  const auto before = facts_of(region.file.get());
  if (!before || before->size_bytes < begin + from.size()) return CopyResult::kTooShort;
  const auto whole = from;
  while (!from.empty()) {
    const auto place = static_cast<off_t>(begin + (whole.size() - from.size()));
    const auto put = ::pwrite(region.file.get(), from.data(), from.size(), place);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return CopyResult::kRefused;
    from = from.subspan(static_cast<std::size_t>(put));
  }
  const auto after = facts_of(region.file.get());
  if (!after || after->memory_bytes <= before->memory_bytes) return CopyResult::kDone;
  if (!may_grow) {
    (void)::fallocate(region.file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                      static_cast<off_t>(whole.size()));
    return CopyResult::kNoMemory;
  }
  grown_bytes = after->memory_bytes - before->memory_bytes;
  return CopyResult::kDone;
}

Error explain(CopyResult result, const SharedRegion& region) {
  const std::string object = "the shared memory object " + region_text(region.key);
  switch (result) {
    case CopyResult::kTooShort: return bad_region(object + " has become too short");
    case CopyResult::kNoMemory:
      return bad_region(object +
                        " has holes, and the server has too little memory to fill them: write to the whole "
                        "object, or call posix_fallocate(), before you register it");
    case CopyResult::kDone:
    case CopyResult::kRefused: break;
  }
  return bad_region(object + " cannot be written: it is sealed, or no memory is free");
}

}  // namespace yolod::app::api::oip
