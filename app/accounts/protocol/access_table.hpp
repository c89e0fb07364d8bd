// Every key and session that may come in, by digest: what the front-end looks in for each request, and how it follows
// what yolod-accounts tells. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::accounts::protocol {

class AccessTable {
 public:
  // Each is true if it follows from what came before. False: a message is missing, and the table must be told anew.
  // A snapshot takes effect as a whole, at its end; until then the table is what it was.
  [[nodiscard]] bool apply(const SnapshotBegin& begin);
  [[nodiscard]] bool apply(const SnapshotEntries& entries);
  [[nodiscard]] bool apply(const SnapshotEnd& end);
  [[nodiscard]] bool apply(const Changes& changes);

  // Nothing where there is none. Whether it has expired is for the caller to look at. The entry lives until the next
  // apply(). What a client sends is hashed before it is looked up, so that the time of a look-up tells nothing about
  // the digests that are there.
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
