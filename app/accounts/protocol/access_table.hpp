// AccessTable has every valid key and session by digest. The front-end looks in it for each request and applies the
// messages of yolod-accounts to it. A single thread uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::accounts::protocol {

class AccessTable {
 public:
  // The result is true if no message is missing before this message. After false a message is missing, and the table
  // needs a new snapshot. A snapshot takes effect as a whole, at its end; until then the table does not change.
  [[nodiscard]] bool apply(const SnapshotBegin& begin);
  [[nodiscard]] bool apply(const SnapshotEntries& entries);
  [[nodiscard]] bool apply(const SnapshotEnd& end);
  [[nodiscard]] bool apply(const Changes& changes);

  // Returns the entry, or null. The caller checks whether the entry has expired. The entry lives until the next
  // apply(). The caller hashes the token of a client first, so the time of a look-up reveals nothing about the
  // digests in the table.
  [[nodiscard]] const AccessEntry* find(const Digest& digest) const;

  // 0: no snapshot has come yet.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  using Entries = std::unordered_map<Digest, AccessEntry, DigestHash, DigestEqual>;

  Entries entries_;
  std::uint64_t version_{0};
  Entries arriving_;
  std::uint64_t arriving_version_{0};  // 0: no snapshot is under way
};

}  // namespace yolod::app::accounts::protocol
