#include "model/files/zip_archive.hpp"

#include <catch2/catch.hpp>

#include "model/checkpoint/source.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/model/checkpoint_files.hpp"

using namespace yolod::model;
using yolod::model::checkpoint::Source;
using namespace yolod::tests;
using Catch::Matchers::Contains;

namespace {

std::string archive_problem(const std::string& bytes) {
  const TemporaryDirectory folder;
  const auto source = Source::open(folder.write("a.zip", bytes));
  REQUIRE(source.ok());
  const auto archive = ZipArchive::read(source.value());
  if (!archive) return archive.error().message;
  for (const auto& [name, entry] : archive.value().entries()) {
    const auto place = ZipArchive::locate(source.value(), entry);
    if (!place) return place.error().message;
  }
  return "";
}

// Returns `bytes` with a little-endian number written at `offset` bytes after the start of the last `signature`.
std::string with(std::string bytes, std::string_view signature, std::size_t offset, std::uint64_t value,
                 std::size_t byte_count) {
  const auto at = bytes.rfind(signature);
  REQUIRE(at != std::string::npos);
  return bytes.replace(at + offset, byte_count, little(value, byte_count));
}

const std::string kSmall = stored_zip({{"a/data.pkl", "hello"}, {"a/data/0", "12345678"}});

}  // namespace

TEST_CASE("ZipArchive: stored entries are found at their offsets", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto source = Source::open(folder.write("a.zip", kSmall));
  REQUIRE(source.ok());
  const auto archive = ZipArchive::read(source.value());
  REQUIRE(archive.ok());
  CHECK(archive.value().entries().size() == 2);
  const auto* entry = archive.value().find("a/data/0");
  REQUIRE(entry != nullptr);
  const auto place = ZipArchive::locate(source.value(), *entry);
  REQUIRE(place.ok());
  const auto text = source.value().text(place.value().offset, place.value().size);
  REQUIRE(text.ok());
  CHECK(text.value() == "12345678");
  CHECK(archive.value().find("data/0") == nullptr);
}

TEST_CASE("ZipArchive: sizes beyond 32 bits come from the zip64 fields", "[model][unit]") {
  // The extra field of the directory's last entry holds its size and its offset. The record at the end of the file
  // includes this field in the size of the directory.
  const std::string name = "a/data/0";
  const auto offset = kSmall.find("PK\x03\x04", 4);
  const auto extra = little(1, 2) + little(24, 2) + little(8, 8) + little(8, 8) + little(offset, 8);
  auto wide = with(with(kSmall, "PK\x01\x02", 20, 0xFFFFFFFFFFFFFFFF, 8), "PK\x01\x02", 42, 0xFFFFFFFF, 4);
  wide = with(wide, "PK\x01\x02", 30, extra.size(), 2);
  wide.insert(wide.rfind("PK\x05\x06"), extra);
  const auto directory_size = wide.rfind("PK\x05\x06") - wide.find("PK\x01\x02");
  wide = with(wide, "PK\x05\x06", 12, directory_size, 4);
  CHECK(archive_problem(wide).empty());
  CHECK_THAT(archive_problem(with(wide, "PK\x01\x02", 30, extra.size() - 8, 2)), Contains("damaged"));
}

TEST_CASE("ZipArchive: the error for a compressed, encrypted or duplicate entry contains its name", "[model][unit]") {
  CHECK_THAT(archive_problem(with(kSmall, "PK\x01\x02", 10, 8, 2)), Contains("\"a/data/0\" is compressed"));
  CHECK_THAT(archive_problem(with(kSmall, "PK\x01\x02", 8, 1, 2)), Contains("\"a/data/0\" is encrypted"));
  CHECK_THAT(archive_problem(stored_zip({{"a", "1"}, {"a", "2"}})), Contains("two entries have the name \"a\""));
}

TEST_CASE("ZipArchive: an archive in memory is read in the order of its directory, up to the given number of entries",
          "[model][unit]") {
  const MemorySource source(kSmall);
  const auto archive = ZipArchive::read(source, 2);
  REQUIRE(archive.ok());
  CHECK(archive.value().entries().front().first == "a/data.pkl");
  const auto place = ZipArchive::locate(source, archive.value().entries().front().second);
  REQUIRE(place.ok());
  CHECK(source.bytes(place.value().offset, place.value().size) == "hello");
  CHECK_FALSE(source.bytes(kSmall.size() - 1, 2));
  CHECK_FALSE(source.bytes(kSmall.size() + 1, 0));
  const auto too_many = ZipArchive::read(source, 1);
  REQUIRE_FALSE(too_many.ok());
  CHECK_THAT(too_many.error().message, Contains("more than 1 entries"));
}

TEST_CASE("ZipArchive: a damaged file is an error, whatever sizes and offsets it contains", "[model][unit]") {
  CHECK_THAT(archive_problem(""), Contains("cut short"));
  CHECK_THAT(archive_problem(kSmall.substr(0, kSmall.size() - 1)), Contains("cut short"));
  CHECK_THAT(archive_problem(with(kSmall, "PK\x05\x06", 16, 0x7FFFFFFF, 4)), Contains("outside it"));
  CHECK_THAT(archive_problem(with(kSmall, "PK\x05\x06", 12, 40, 4)), Contains("cannot be read"));
  CHECK_THAT(archive_problem(with(kSmall, "PK\x05\x06", 16, 3, 4)), Contains("cannot be read"));
  CHECK_THAT(archive_problem(with(kSmall, "PK\x01\x02", 28, 0xFFFF, 2)), Contains("cannot be read"));
  CHECK_THAT(archive_problem(with(kSmall, "PK\x05\x06", 10, 1, 2)), Contains("more entries than it says"));
  CHECK_THAT(archive_problem(with(kSmall, "PK\x05\x06", 10, 3, 2)), Contains("fewer entries than it says"));
  CHECK_THAT(archive_problem(with(kSmall, "PK\x01\x02", 42, 1, 4)), Contains("not at the offset in the directory"));
  CHECK_THAT(archive_problem(with(with(kSmall, "PK\x01\x02", 20, 0x7000000070000000, 8), "PK\x01\x02", 10, 0, 2)),
             Contains("past its end"));
  for (std::size_t i = 0; i < kSmall.size(); ++i) {
    auto damaged = kSmall;
    damaged[i] = static_cast<char>(~damaged[i]);
    (void)archive_problem(damaged);
    (void)archive_problem(kSmall.substr(0, i));
  }
}
