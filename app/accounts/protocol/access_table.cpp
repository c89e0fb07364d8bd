#include "app/accounts/protocol/access_table.hpp"

#include <utility>

namespace yolod::app::accounts::protocol {

bool AccessTable::apply(const SnapshotBegin& begin) {
  if (begin.version <= version_) return false;
  arriving_.clear();
  arriving_version_ = begin.version;
  return true;
}

bool AccessTable::apply(const SnapshotEntries& entries) {
  if (arriving_version_ == 0) return false;
  for (const AccessEntry& entry : entries.entries) arriving_.insert_or_assign(entry.digest, entry);
  return true;
}

bool AccessTable::apply(const SnapshotEnd& end) {
  if (arriving_version_ == 0 || end.version != arriving_version_ || end.count != arriving_.size()) return false;
  entries_ = std::exchange(arriving_, {});
  version_ = std::exchange(arriving_version_, 0);
  return true;
}

bool AccessTable::apply(const Changes& changes) {
  if (arriving_version_ != 0 || version_ == 0 || changes.version != version_ + 1) return false;
  for (const Digest& digest : changes.removed) entries_.erase(digest);
  for (const AccessEntry& entry : changes.added) entries_.insert_or_assign(entry.digest, entry);
  version_ = changes.version;
  return true;
}

const AccessEntry* AccessTable::find(const Digest& digest) const {
  const auto found = entries_.find(digest);
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace yolod::app::accounts::protocol
