// AccessTable has every valid key and session by digest. The front-end looks in it for each request and applies the
// messages of yolod-accounts to it. A single thread uses it.
//
// No call holds the event loop for 1 ms with 100,000 entries: the entries are in many small tables, so that no
// table is large when it grows. The entries that a snapshot has replaced are freed in small steps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::accounts::protocol {

class AccessTable {
 public:
  // An AccessEntry whose name is in the entry itself. So an entry is no block of the heap: to free thousands of blocks
  // can take the allocator milliseconds.
  struct Entry {
    Digest digest{};
    EntryKind kind{EntryKind::kSession};
    Role role{Role::kUser};
    std::uint8_t name_bytes{0};
    std::array<char, kMaxNameBytes> name_text{};
    std::uint32_t scopes{0};
    std::uint32_t rate{0};
    std::uint32_t in_flight{0};
    std::uint32_t used_in{0};  // the last round of is_first_use()
    KeyId key{0};
    PersonId person{0};
    Seconds created{0};
    Seconds expires{0};
    Seconds last_used{0};

    Entry() = default;
    explicit Entry(const AccessEntry& entry);
    [[nodiscard]] std::string_view name() const { return {name_text.data(), name_bytes}; }
  };

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
  [[nodiscard]] const Entry* find(const Digest& digest) const;
  // Returns whether this is the first call for that entry with this round. After a snapshot each entry counts as new.
  // REQUIRES: round != 0.
  [[nodiscard]] bool is_first_use(const Digest& digest, std::uint32_t round);
  // Returns whether that API key is valid.
  [[nodiscard]] bool has_key(KeyId key) const { return content_.has_key(key); }

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
  // A hash table with open addressing. A look-up reads one slot and one entry in most cases, so it waits for memory
  // less often than in a std::unordered_map.
  class Shard {
   public:
    [[nodiscard]] Entry* find(const Digest& digest);
    // Returns whether the digest is new.
    bool put(const AccessEntry& entry);
    // REQUIRES: the digest is in the shard.
    void erase(const Digest& digest);
    std::vector<KeyId> keys;  // the ids of API keys, which belong to other shards than their digests

   private:
    struct Slot {
      std::uint16_t tag{0};    // bytes of the digest
      std::uint16_t place{0};  // in known_, from 1 on; 0: the slot is free
    };
    [[nodiscard]] std::size_t slot_of(const Digest& digest) const;
    [[nodiscard]] std::size_t home_of(const Digest& digest) const;
    void fill_slot(std::size_t place);
    void grow();

    std::vector<Slot> slots_;  // a power of two, at most half of them in use
    std::vector<Entry> known_;
  };
  struct Content {
    std::vector<Shard> shards;  // empty, or kShards of them
    std::size_t count{0};
    [[nodiscard]] Entry* find(const Digest& digest);
    void put(const AccessEntry& entry);
    void erase(const Digest& digest);
    [[nodiscard]] bool has_key(KeyId key) const;
  };

  void retire(Content&& content);
  void free_some(std::size_t shards);

  Content content_;
  std::uint64_t version_{0};
  Content arriving_;
  std::uint64_t arriving_version_{0};  // 0: no snapshot is under way
  std::vector<Shard> retired_;
};

}  // namespace yolod::app::accounts::protocol
