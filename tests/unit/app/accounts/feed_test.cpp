#include "app/accounts/feed.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "app/accounts/protocol/access_table.hpp"

namespace yolod::app::accounts {
namespace {

using namespace protocol;

Digest digest_number(std::size_t number) {
  Digest digest{};
  digest[0] = static_cast<std::uint8_t>(number & 0xFFU);
  digest[1] = static_cast<std::uint8_t>(number >> 8U);
  return digest;
}

AccessEntry entry_number(std::size_t number, Seconds expires = 0) {
  AccessEntry entry;
  entry.digest = digest_number(number);
  entry.expires = expires;
  return entry;
}

std::vector<AccessEntry> numbered_entries(std::size_t count) {
  std::vector<AccessEntry> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(entry_number(i));
  return made;
}

// Gives the table all that the feed has to say. False: it did not follow.
bool follow(AccessTable& table, Feed& feed) {
  bool follows = true;
  while (const auto message = feed.next()) {
    if (const auto* const begin = std::get_if<SnapshotBegin>(&*message)) follows = follows && table.apply(*begin);
    if (const auto* const some = std::get_if<SnapshotEntries>(&*message)) follows = follows && table.apply(*some);
    if (const auto* const end = std::get_if<SnapshotEnd>(&*message)) follows = follows && table.apply(*end);
    if (const auto* const changes = std::get_if<Changes>(&*message)) follows = follows && table.apply(*changes);
  }
  return follows;
}

}  // namespace

TEST_CASE("Feed: a table that follows has the snapshot, then each change", "[accounts][unit]") {
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, kMaxEntries, kMaxEntries + 1, std::size_t{1000}}) {
    CAPTURE(count);
    Feed feed;
    AccessTable table;
    CHECK_FALSE(feed.next());
    feed.reading_begins();
    feed.snapshot(numbered_entries(count));
    REQUIRE(follow(table, feed));
    CHECK(table.size() == count);
    CHECK(table.version() == 1);
    feed.changed({digest_number(0)}, {entry_number(2000), entry_number(2001)});
    REQUIRE(follow(table, feed));
    CHECK(table.version() == 2);
    CHECK(table.find(digest_number(0)) == nullptr);
    REQUIRE(table.find(digest_number(2001)) != nullptr);
    CHECK(table.size() == (count == 0 ? 2 : count + 1));
  }
}

TEST_CASE("Feed: a change that is made while the database is read follows the snapshot", "[accounts][unit]") {
  Feed feed;
  AccessTable table;
  feed.reading_begins();
  feed.changed({digest_number(1)}, {entry_number(5)});
  CHECK_FALSE(feed.next());
  feed.snapshot(numbered_entries(3));  // read before the change was made
  REQUIRE(follow(table, feed));
  CHECK(table.find(digest_number(1)) == nullptr);
  CHECK(table.find(digest_number(5)) != nullptr);
}

TEST_CASE("Feed: a change from before the reading comes only with the snapshot", "[accounts][unit]") {
  Feed feed;
  AccessTable table;
  feed.reading_begins();
  feed.snapshot(numbered_entries(1));
  REQUIRE(follow(table, feed));
  feed.changed({}, {entry_number(7)});
  feed.reading_begins();
  feed.snapshot({entry_number(9)});
  REQUIRE(follow(table, feed));
  CHECK(table.find(digest_number(7)) == nullptr);  // removed since, as the snapshot knows
  CHECK(table.find(digest_number(9)) != nullptr);
}

TEST_CASE("Feed: a large change comes in several messages, what is removed first", "[accounts][unit]") {
  Feed feed;
  AccessTable table;
  feed.reading_begins();
  feed.snapshot(numbered_entries(250));
  REQUIRE(follow(table, feed));
  std::vector<Digest> removed;
  for (std::size_t i = 0; i < 250; ++i) removed.push_back(digest_number(i));
  std::vector<AccessEntry> added = numbered_entries(60);  // the same digests again
  feed.changed(std::move(removed), std::move(added));
  REQUIRE(follow(table, feed));
  CHECK(table.size() == 60);
}

TEST_CASE("Feed: too many waiting changes make the feed ask for a new snapshot", "[accounts][unit]") {
  Feed feed(10);
  AccessTable table;
  feed.reading_begins();
  feed.snapshot({});
  REQUIRE(follow(table, feed));
  CHECK_FALSE(feed.take_overflow());
  for (std::size_t i = 0; i < 11; ++i) feed.changed({}, {entry_number(i)});
  CHECK(feed.take_overflow());
  CHECK_FALSE(feed.take_overflow());
  CHECK_FALSE(feed.next());
  feed.reading_begins();
  feed.snapshot(numbered_entries(11));
  REQUIRE(follow(table, feed));
  CHECK(table.size() == 11);
}

TEST_CASE("AccessTable: a snapshot takes effect as a whole, at its end", "[accounts][unit]") {
  AccessTable table;
  REQUIRE(table.apply(SnapshotBegin{1}));
  REQUIRE(table.apply(SnapshotEntries{{entry_number(1)}}));
  CHECK(table.size() == 0);
  CHECK(table.version() == 0);
  REQUIRE(table.apply(SnapshotEnd{1, 1}));
  REQUIRE(table.apply(SnapshotBegin{2}));
  REQUIRE(table.apply(SnapshotEntries{{entry_number(2)}}));
  CHECK(table.find(digest_number(1)) != nullptr);
  REQUIRE(table.apply(SnapshotEnd{2, 1}));
  CHECK(table.find(digest_number(1)) == nullptr);
}

TEST_CASE("AccessTable: what does not follow is refused", "[accounts][unit]") {
  AccessTable table;
  CHECK_FALSE(table.apply(SnapshotEntries{{entry_number(1)}}));
  CHECK_FALSE(table.apply(SnapshotEnd{1, 0}));
  CHECK_FALSE(table.apply(Changes{1, {}, {}}));
  REQUIRE(table.apply(SnapshotBegin{4}));
  CHECK_FALSE(table.apply(Changes{5, {}, {}}));
  CHECK_FALSE(table.apply(SnapshotEnd{4, 1}));  // one entry is missing
  REQUIRE(table.apply(SnapshotEnd{4, 0}));
  CHECK_FALSE(table.apply(Changes{6, {}, {}}));
  CHECK_FALSE(table.apply(SnapshotBegin{4}));
  CHECK(table.apply(Changes{5, {}, {}}));
}

TEST_CASE("AccessTable: a change replaces an entry", "[accounts][unit]") {
  AccessTable table;
  REQUIRE(table.apply(SnapshotBegin{1}));
  REQUIRE(table.apply(SnapshotEntries{{entry_number(1, 100)}}));
  REQUIRE(table.apply(SnapshotEnd{1, 1}));
  REQUIRE(table.apply(Changes{2, {}, {entry_number(1, 200)}}));
  CHECK(table.find(digest_number(1))->expires == 200);
  CHECK(table.size() == 1);
}

TEST_CASE("AccessTable: the ids of the API keys follow the entries", "[accounts][unit]") {
  AccessTable table;
  CHECK_FALSE(table.has_key(1));
  CHECK(table.find(digest_number(1)) == nullptr);
  auto key = entry_number(1);
  key.kind = EntryKind::kKey;
  key.key = 4097;
  REQUIRE(table.apply(SnapshotBegin{1}));
  REQUIRE(table.apply(SnapshotEntries{{key}}));
  REQUIRE(table.apply(SnapshotEnd{1, 1}));
  CHECK(table.has_key(4097));
  CHECK_FALSE(table.has_key(1));
  REQUIRE(table.apply(Changes{2, {digest_number(1)}, {}}));
  CHECK_FALSE(table.has_key(4097));
  CHECK(table.size() == 0);
}

TEST_CASE("AccessTable: an entry is used for the first time once in each round", "[accounts][unit]") {
  AccessTable table;
  CHECK_FALSE(table.is_first_use(digest_number(1), 1));
  REQUIRE(table.apply(SnapshotBegin{1}));
  REQUIRE(table.apply(SnapshotEntries{{entry_number(1), entry_number(2)}}));
  REQUIRE(table.apply(SnapshotEnd{1, 2}));
  CHECK(table.is_first_use(digest_number(1), 1));
  CHECK_FALSE(table.is_first_use(digest_number(1), 1));
  CHECK(table.is_first_use(digest_number(2), 1));
  CHECK(table.is_first_use(digest_number(1), 2));
  CHECK_FALSE(table.is_first_use(digest_number(3), 2));
}

TEST_CASE("AccessTable: replaced, unfinished and discarded entries are freed in steps", "[accounts][unit]") {
  constexpr std::size_t kEntries = 5'000;
  const auto fill = [](AccessTable& table, std::uint64_t version, bool finish) {
    REQUIRE(table.apply(SnapshotBegin{version, kEntries}));
    for (std::size_t i = 0; i < kEntries; ++i) {
      if (!table.apply(SnapshotEntries{{entry_number(i)}})) FAIL("an entry is refused");
    }
    if (finish) REQUIRE(table.apply(SnapshotEnd{version, kEntries}));
  };
  AccessTable table;
  fill(table, 1, true);
  CHECK_FALSE(table.tidy());
  SECTION("a snapshot replaces them") { fill(table, 2, true); }
  SECTION("the snapshot is not finished, and another begins") {
    fill(table, 2, false);
    fill(table, 3, true);
  }
  SECTION("a table of another process takes over") {
    AccessTable next;
    fill(next, 1, true);
    table.take_over(std::move(next));
  }
  SECTION("a table of another process is not finished") {
    AccessTable next;
    fill(next, 1, false);
    table.discard(std::move(next));
  }
  CHECK(table.tidy());
  int steps = 1;
  while (table.tidy()) ++steps;
  CHECK(steps < 100);
  CHECK(table.size() == kEntries);
  CHECK(table.find(digest_number(7)) != nullptr);
}

TEST_CASE("AccessTable: each entry is found after any changes", "[accounts][unit]") {
  AccessTable table;
  REQUIRE(table.apply(SnapshotBegin{1}));
  REQUIRE(table.apply(SnapshotEnd{1, 0}));
  std::uint64_t version = 1;
  std::set<std::size_t> there;
  std::minstd_rand random(7);
  bool good = true;
  for (int i = 0; i < 20'000; ++i) {
    // The entries collide often, because all of them are in one shard.
    const std::size_t number = random() % 300;
    if (there.erase(number) != 0) {
      good = good && table.apply(Changes{++version, {digest_number(number)}, {}});
    } else {
      there.insert(number);
      good = good && table.apply(Changes{++version, {}, {entry_number(number, static_cast<Seconds>(number) + 1)}});
    }
    const std::size_t probe = random() % 300;
    const auto* const found = table.find(digest_number(probe));
    good = good && (found != nullptr) == there.contains(probe);
    good = good && (found == nullptr || found->expires == static_cast<Seconds>(probe) + 1);
  }
  CHECK(good);
  CHECK(table.size() == there.size());
}

}  // namespace yolod::app::accounts
