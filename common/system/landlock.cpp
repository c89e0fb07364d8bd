#include "common/system/landlock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "common/unique_fd.hpp"

namespace yolod::common {
namespace {

// The kernel's own definitions, because the distribution's headers may be older than the running kernel.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr unsigned kAskForVersion = 1;
constexpr int kRuleOfPath = 1;
constexpr int kRuleOfPort = 2;

constexpr std::uint64_t kWriteFile = 1U << 1U;
constexpr std::uint64_t kReadFile = 1U << 2U;
constexpr std::uint64_t kReadFolder = 1U << 3U;
constexpr std::uint64_t kRemoveFile = 1U << 5U;
constexpr std::uint64_t kMakeFile = 1U << 8U;
constexpr std::uint64_t kTruncate = 1U << 14U;
constexpr std::uint64_t kConnectTcp = 1U << 1U;
constexpr std::uint64_t kRightsOfFiles = (1U << 0U) | kWriteFile | kReadFile | kTruncate | (1U << 15U);

struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};

struct __attribute__((packed)) PathRule {
  std::uint64_t allowed;
  std::int32_t parent;
};

struct PortRule {
  std::uint64_t allowed;
  std::uint64_t port;
};

// Returns a mask of the bits 0 to `last`.
constexpr std::uint64_t bits_to(unsigned last) { return (std::uint64_t{2} << last) - 1; }

std::uint64_t rights_for(FileUse use) {
  switch (use) {
    case FileUse::kRead: return kReadFile | kReadFolder;
    case FileUse::kReadAndWrite: return kReadFile | kReadFolder | kWriteFile | kTruncate;
    case FileUse::kChange: return kReadFile | kReadFolder | kWriteFile | kTruncate | kRemoveFile | kMakeFile;
  }
  return 0;
}

Outcome<void> add_rule(int ruleset, const FileRule& rule, const LandlockRights& known) {
  const UniqueFd place(open(rule.path.c_str(), O_PATH | O_CLOEXEC));
  if (!place.valid()) return {};  // a missing file is no error here; the code that needs it reports it
  struct stat status {};
  if (fstat(place.get(), &status) != 0) return last_system_error("cannot look at " + rule.path.string());
  PathRule attributes{rights_for(rule.use) & known.files, place.get()};
  if (!S_ISDIR(status.st_mode)) attributes.allowed &= kRightsOfFiles;
  if (syscall(kAddRule, ruleset, kRuleOfPath, &attributes, 0) != 0) {
    return last_system_error("landlock_add_rule for " + rule.path.string());
  }
  return {};
}

Outcome<void> add_port(int ruleset, std::uint16_t port) {
  const PortRule attributes{kConnectTcp, port};
  if (syscall(kAddRule, ruleset, kRuleOfPort, &attributes, 0) == 0) return {};
  return last_system_error("landlock_add_rule for port " + std::to_string(port));
}

}  // namespace

LandlockRights landlock_rights(std::uint32_t abi) {
  LandlockRights rights;
  if (abi >= 1) rights.files = bits_to(12);
  if (abi >= 2) rights.files = bits_to(13);  // REFER
  if (abi >= 3) rights.files = bits_to(14);  // TRUNCATE
  if (abi >= 4) rights.network = bits_to(1);
  if (abi >= 5) rights.files = bits_to(15);  // IOCTL_DEV
  if (abi >= 6) rights.scopes = bits_to(1);
  return rights;
}

Outcome<std::uint32_t> landlock_abi() {
  const long abi = syscall(kCreateRuleset, nullptr, 0, kAskForVersion);
  if (abi > 0) return static_cast<std::uint32_t>(abi);
  switch (errno) {
    case ENOSYS: return system_error("Landlock is not in this kernel (landlock_create_ruleset)", ENOSYS);
    case EOPNOTSUPP: return system_error("Landlock is switched off in this kernel", EOPNOTSUPP);
    default: return last_system_error("Landlock is refused (landlock_create_ruleset)");
  }
}

Outcome<std::uint32_t> restrict_by_landlock(std::span<const FileRule> rules,
                                            std::span<const std::uint16_t> connect_ports) {
  const auto abi = landlock_abi();
  if (!abi) return abi.error();
  const LandlockRights known = landlock_rights(*abi);
  const RulesetAttributes attributes{known.files, known.network, known.scopes};
  // An older kernel accepts this larger structure, because the fields that it does not know are zero.
  const UniqueFd ruleset(static_cast<int>(syscall(kCreateRuleset, &attributes, sizeof attributes, 0)));
  if (!ruleset.valid()) return last_system_error("Landlock is refused (landlock_create_ruleset)");
  for (const FileRule& rule : rules) {
    if (auto added = add_rule(ruleset.get(), rule, known); !added) return added.error();
  }
  if ((known.network & kConnectTcp) != 0) {
    for (const std::uint16_t port : connect_ports) {
      if (auto added = add_port(ruleset.get(), port); !added) return added.error();
    }
  }
  if (syscall(kRestrictSelf, ruleset.get(), 0) != 0) {
    return last_system_error("Landlock is refused (landlock_restrict_self)");
  }
  return *abi;
}

}  // namespace yolod::common
