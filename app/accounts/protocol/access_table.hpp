// AccessTable has every valid key and session by digest. The front-end looks in it for each request and applies the
// messages of yolod-accounts to it. A single thread uses it.
//
// No call holds the event loop for long, also with a million entries: the entries are in many small tables, so that no
// table is large when it grows. The entries that a snapshot has replaced are freed in small steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::accounts::protocol {

class AccessTable {
 public:
  static constexpr std::size_t kMostEntries = 1'000'000;
  static constexpr std::size_t kShards = 1024;

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
  // Returns whether this is the first call for that entry with this round. After a snapshot each entry counts as new.
  // REQUIRES: round != 0.
  [[nodiscard]] bool is_first_use(const Digest& digest, std::uint32_t round);
  // Returns whether that API key is valid.
  [[nodiscard]] bool has_key(KeyId key) const;

  // 0: no snapshot has come yet.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] std::size_t size() const { return content_.count; }

  // Takes all entries of a table that has had a snapshot. They replace the entries here.
  void take_over(AccessTable&& next);
  // Takes all memory of a table that is no longer needed, to free it in small steps.
  void discard(AccessTable&& other);
  // Frees some memory of entries that are no longer needed. Returns false if there is no such memory left.
  bool tidy();

 private:
  struct Known {
    AccessEntry entry;
    std::uint32_t used_in{0};  // the last round of is_first_use()
  };
  struct Shard {
    std::unordered_map<Digest, Known, DigestHash, DigestEqual> entries;
    std::unordered_set<KeyId> keys;  // the ids of the API keys, which belong to other shards than their digests
  };
  struct Content {
    std::vector<Shard> shards;  // empty, or kShards of them
    std::size_t count{0};
    std::size_t expected_in_shard{0};  // a shard gets room for so many entries with its first entry
    void begin(std::size_t expected);
    void put(const AccessEntry& entry);
    void erase(const Digest& digest);
  };

  void retire(Content&& content);
  void free_some(std::size_t most);

  Content content_;
  std::uint64_t version_{0};
  Content arriving_;
  std::uint64_t arriving_version_{0};  // 0: no snapshot is under way
  std::vector<Shard> retired_;
};

}  // namespace yolod::app::accounts::protocol
