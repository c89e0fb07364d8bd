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
  static constexpr std::size_t kMostEntries = 1'000'000;

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
  // Returns whether that API key is valid.
  [[nodiscard]] bool has_key(KeyId key) const { return content_.keys.contains(key); }

  // 0: no snapshot has come yet.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] std::size_t size() const { return content_.entries.size(); }

  // Takes all entries of a table that has had a snapshot. They replace the entries here.
  void take_over(AccessTable&& next);
  // Frees some memory of entries that a snapshot has replaced. To free all of it at once would hold the event loop.
  // Returns false if there is no such memory left.
  bool tidy();

 private:
  struct Content {
    std::unordered_map<Digest, AccessEntry, DigestHash, DigestEqual> entries;
    std::unordered_map<KeyId, Digest> keys;  // the digests of the API keys
    void put(const AccessEntry& entry);
    void erase(const Digest& digest);
  };

  Content content_;
  std::uint64_t version_{0};
  Content arriving_;
  std::uint64_t arriving_version_{0};  // 0: no snapshot is under way
  Content retired_;
};

}  // namespace yolod::app::accounts::protocol
