#include "app/accounts/feed.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace yolod::app::accounts {

using protocol::AccessEntry;
using protocol::Digest;

void Feed::reading_begins() {
  reading_ = true;
  overflow_ = false;
  changes_.clear();  // the snapshot has these changes, because they were made before the reading
}

void Feed::snapshot(std::vector<AccessEntry> entries) {
  reading_ = false;
  entries_ = std::move(entries);
  told_ = 0;
  state_ = State::kBegin;
}

void Feed::changed(std::vector<Digest> removed, std::vector<AccessEntry> added) {
  if (state_ == State::kNothing && !reading_) return;  // the first snapshot is still to be read
  std::size_t removed_from = 0;
  std::size_t added_from = 0;
  while (removed_from < removed.size() || added_from < added.size()) {
    Change change;
    const std::size_t removals = std::min(protocol::kMaxRemoved, removed.size() - removed_from);
    const auto first = removed.begin() + static_cast<std::ptrdiff_t>(removed_from);
    change.removed.assign(first, first + static_cast<std::ptrdiff_t>(removals));
    removed_from += removals;
    // A message removes entries before it adds entries.
    if (removed_from == removed.size()) {
      const std::size_t additions = std::min(protocol::kMaxEntries, added.size() - added_from);
      const auto begin = added.begin() + static_cast<std::ptrdiff_t>(added_from);
      change.added.assign(std::make_move_iterator(begin),
                          std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(additions)));
      added_from += additions;
    }
    changes_.push_back(std::move(change));
  }
  if (changes_.size() > most_waiting_) {
    changes_.clear();
    overflow_ = true;
  }
}

bool Feed::take_overflow() { return std::exchange(overflow_, false); }

std::optional<protocol::Message> Feed::next() {
  switch (state_) {
    case State::kNothing: return std::nullopt;
    case State::kBegin: state_ = State::kEntries; return protocol::SnapshotBegin{++version_, entries_.size()};
    case State::kEntries: {
      if (told_ == entries_.size()) {
        const protocol::SnapshotEnd end{version_, told_};
        state_ = State::kTold;
        entries_ = {};
        return end;
      }
      const std::size_t count = std::min(protocol::kMaxEntries, entries_.size() - told_);
      const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(told_);
      told_ += count;
      return protocol::SnapshotEntries{
          {std::make_move_iterator(begin), std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(count))}};
    }
    case State::kTold: break;
  }
  if (reading_ || changes_.empty()) return std::nullopt;
  Change change = std::move(changes_.front());
  changes_.pop_front();
  return protocol::Changes{++version_, std::move(change.removed), std::move(change.added)};
}

}  // namespace yolod::app::accounts
