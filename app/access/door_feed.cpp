#include "app/access/door_feed.hpp"

#include <ctime>
#include <variant>

namespace yolod::app::access {
namespace {

namespace protocol = accounts::protocol;

struct ApplyTo {
  Door& door;
  bool operator()(const protocol::SnapshotBegin& begin) const { return door.apply(begin); }
  bool operator()(const protocol::SnapshotEntries& entries) const { return door.apply(entries); }
  bool operator()(const protocol::SnapshotEnd& end) const { return door.apply(end); }
  bool operator()(const protocol::Changes& changes) const { return door.apply(changes); }
  // The client keeps the other messages for itself.
  template <typename Other>
  bool operator()(const Other& /*other*/) const {
    return false;
  }
};

}  // namespace

KnownKeys known_keys_of(Door& door) {
  return {[&door](const protocol::Message& message) { return std::visit(ApplyTo{door}, message); },
          [&door] { door.forget_feed(); },
          [&door](common::Clock::time_point now) { door.accounts_lost(now); },
          [&door](const protocol::Digest& digest) { return door.knows(digest); },
          [&door](protocol::KeyId key) { return door.knows_key(key); },
          [&door] { return door.next_touches(std::time(nullptr)); }};
}

}  // namespace yolod::app::access
