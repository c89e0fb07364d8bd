// Each decoder must return the right pixels and must write nothing else.
#include "model/image/codec/codecs.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "tests/unit/model/sample_pictures.hpp"

using namespace yolod::model::image;
using namespace std::chrono_literals;
using yolod::common::ErrorCode;
using yolod::tests::bytes_of;
using yolod::tests::sample_pictures;
using yolod::tests::SamplePicture;

namespace {

constexpr std::uint64_t kMaxPixels = 100'000'000;
constexpr auto kMuchTime = 100s;

// Decodes `file` into a buffer that the test filled with `poison`.
yolod::common::Outcome<std::vector<std::uint8_t>> decoded(const std::string& file, std::uint8_t poison,
                                                          std::chrono::nanoseconds max_time = kMuchTime) {
  const auto found = codec::probe(bytes_of(file), kMaxPixels);
  if (!found) return found.error();
  std::vector<std::uint8_t> bgr(3 * found->width * found->height, poison);
  codec::Canvas canvas(bgr.data(), found->width, found->height);
  codec::Budget budget(max_time);
  if (auto done = codec::decode(bytes_of(file), found->format, 1, canvas, budget); !done) return done.error();
  CHECK(canvas.full());
  return bgr;
}

int furthest(const std::vector<std::uint8_t>& one, const std::vector<std::uint8_t>& other) {
  if (one.size() != other.size()) return 1000;
  int most = 0;
  for (std::size_t i = 0; i < one.size(); ++i) most = std::max(most, std::abs(one[i] - other[i]));
  return most;
}

constexpr std::uint8_t kPoison = 0xA5;
constexpr std::uint8_t kOtherPoison = 0x3C;

}  // namespace

TEST_CASE("Codec: each kind of picture is decoded to the pixels that the test drew", "[model][unit]") {
  for (const auto& sample : sample_pictures()) {
    INFO(sample.name);
    const auto bgr = decoded(sample.file, kPoison);
    if (!bgr) UNSCOPED_INFO(bgr.error().message);
    REQUIRE(bgr.ok());
    CHECK(furthest(*bgr, sample.bgr) <= sample.furthest);
  }
}

TEST_CASE("Codec: a file cut at any place gives the pixels of the whole file or an error", "[model][unit]") {
  for (const auto& sample : sample_pictures()) {
    const auto whole = decoded(sample.file, kPoison);
    REQUIRE(whole.ok());
    for (std::size_t length = 0; length <= sample.file.size(); length += length + 64 < sample.file.size() ? 64 : 1) {
      const auto cut = sample.file.substr(0, length);
      const auto one = decoded(cut, kPoison);
      const auto other = decoded(cut, kOtherPoison);
      INFO(sample.name << ", " << length << " of " << sample.file.size() << " bytes");
      REQUIRE(one.ok() == other.ok());
      if (one) {
        CHECK((*one == *whole));
        CHECK((*other == *whole));
      } else {
        CHECK(one.error().code == ErrorCode::kInvalidImage);
      }
    }
  }
}

TEST_CASE("Codec: a damaged file gives an error or pixels that do not depend on the old content of the buffer",
          "[model][unit]") {
  std::uint32_t random = 7;
  const auto next = [&random] { return random = random * 1664525U + 1013904223U; };
  for (const auto& sample : sample_pictures()) {
    for (int round = 0; round < 40; ++round) {
      auto damaged = sample.file;
      for (int i = 0; i < 1 + round % 5; ++i) {
        const auto at = 2 + (next() >> 8U) % (damaged.size() - 2);
        damaged[at] = static_cast<char>(next() >> 24U);
      }
      const auto found = codec::probe(bytes_of(damaged), 1'000'000);
      if (!found) continue;
      const auto one = decoded(damaged, kPoison);
      const auto other = decoded(damaged, kOtherPoison);
      INFO(sample.name << ", round " << round);
      REQUIRE(one.ok() == other.ok());
      if (one) CHECK((*one == *other));
    }
  }
}

TEST_CASE("Codec: two threads decode at once", "[model][unit][threads]") {
  const auto& samples = sample_pictures();
  std::vector<std::vector<std::uint8_t>> expected;
  for (const auto& sample : samples) {
    const auto bgr = decoded(sample.file, kPoison);
    REQUIRE(bgr.ok());
    expected.push_back(*bgr);
  }
  // Catch's macros may only run on one thread.
  const auto count_wrong = [&](std::size_t first) {
    int wrong = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto at = (i + first) % samples.size();
      const auto& file = samples[at].file;
      const auto found = codec::probe(bytes_of(file), kMaxPixels);
      std::vector<std::uint8_t> bgr(expected[at].size());
      codec::Canvas canvas(bgr.data(), samples[at].width, samples[at].height);
      codec::Budget budget(kMuchTime);
      const bool done = found && codec::decode(bytes_of(file), found->format, 1, canvas, budget).ok();
      wrong += done && bgr == expected[at] ? 0 : 1;
      // For a cut file, the library reports the error by a jump out of the decoder.
      codec::Canvas again(bgr.data(), samples[at].width, samples[at].height);
      const auto cut = bytes_of(file).first(file.size() / 2);
      if (found && codec::probe(cut, kMaxPixels)) {
        wrong += codec::decode(cut, found->format, 1, again, budget).ok() ? 1 : 0;
      }
    }
    return wrong;
  };
  int wrong = 0;
  std::thread other([&] { wrong = count_wrong(0); });
  const int here = count_wrong(samples.size() / 2);
  other.join();
  CHECK(wrong == 0);
  CHECK(here == 0);
}

TEST_CASE("Codec: every decoder stops when its time is over", "[model][unit]") {
  for (const auto& large : yolod::tests::large_pictures()) {
    INFO(large.name);
    const auto bgr = decoded(large.file, kPoison, 1us);
    REQUIRE_FALSE(bgr.ok());
    CHECK(bgr.error().code == ErrorCode::kImageTooComplex);
  }
}

TEST_CASE("Codec: a lossless WebP that may take too long is refused before the decoding starts", "[model][unit]") {
  const auto file = yolod::tests::make_webp(1000, 1000, std::vector<std::uint8_t>(3'000'000, 9), true);
  REQUIRE(file.size() < 1000);
  CHECK(decoded(file, kPoison, 20ms).ok());
  CHECK(decoded(file, kPoison, 19ms).error().code == ErrorCode::kImageTooComplex);
}

// Each block of 4 x 4 pixels may have separate Huffman codes.
TEST_CASE("Codec: the memory of a lossless WebP includes its Huffman codes, a lossy WebP has no such codes",
          "[model][unit]") {
  constexpr std::size_t kSide = 256;
  std::vector<std::uint8_t> noise(3 * kSide * kSide);
  std::minstd_rand random(1);
  for (auto& value : noise) value = static_cast<std::uint8_t>(random() >> 8U);
  const auto lossless = yolod::tests::make_webp(kSide, kSide, noise, true);
  const auto found = codec::probe(bytes_of(lossless), kMaxPixels);
  REQUIRE(found.ok());
  constexpr std::uint64_t kMostGroups = kSide / 4 * kSide / 4;
  REQUIRE(8 * lossless.size() / 20 > kMostGroups);
  CHECK(found->possible_bytes - found->working_bytes >= kMostGroups * 5 * 1024);
  CHECK(found->possible_bytes - found->working_bytes <= kMostGroups * 25 * 1024);
  const auto lossy = codec::probe(bytes_of(yolod::tests::make_webp(kSide, kSide, noise, false)), kMaxPixels);
  REQUIRE(lossy.ok());
  CHECK(lossy->possible_bytes == lossy->working_bytes);
}

TEST_CASE("Codec: arithmetic-coded JPEGs are refused", "[model][unit]") {
  CHECK(decoded(yolod::tests::make_jpeg({.arithmetic = true}), kPoison).error().code == ErrorCode::kInvalidImage);
}

TEST_CASE("Codec: a JPEG with more scans than allowed is too complex", "[model][unit]") {
  // The file is sequential and has a scan for each component. The test repeats the last scan.
  const auto file = yolod::tests::make_jpeg({.separate_scans = true, .sampling = 1});
  const auto last = file.rfind("\xFF\xDA");
  REQUIRE(last != std::string::npos);
  const auto scan = file.substr(last, file.size() - 2 - last);
  const auto with_more = [&](int scans) {
    auto more = file.substr(0, file.size() - 2);
    for (int i = 3; i < scans; ++i) more += scan;
    return more + "\xFF\xD9";
  };
  CHECK(decoded(with_more(codec::kMaxScans), kPoison).ok());
  CHECK(decoded(with_more(codec::kMaxScans + 1), kPoison).error().code == ErrorCode::kImageTooComplex);
}

TEST_CASE("Codec: a PNG with more chunks than allowed is too complex", "[model][unit]") {
  const auto file = yolod::tests::make_png(4, 4, 8, 0, false, std::vector<std::uint8_t>(16));
  const std::string chunk("\0\0\0\0teXt\xFA\xC4\x19\x62", 12);
  std::string chunks;
  for (std::size_t i = 0; i < codec::kMaxChunks; ++i) chunks += chunk;
  constexpr std::size_t kBehindHeader = 33;
  CHECK(decoded(file.substr(0, kBehindHeader) + chunks + file.substr(kBehindHeader), kPoison).error().code ==
        ErrorCode::kImageTooComplex);
}

TEST_CASE("Codec: in an RLE BMP skipped pixels have the first colour, and indices outside the palette are black",
          "[model][unit]") {
  // The picture has two colours and 4 x 2 pixels. The RLE data is a pixel, a step of two to the right and none up, a
  // pixel of colour 7, and the end mark.
  const std::string header(
      "BM\0\0\0\0\0\0\0\0\x3E\0\0\0\x28\0\0\0\x04\0\0\0\x02\0\0\0\x01\0\x08\0\x01\0\0\0"
      "\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0"
      "\x01\x02\x03\0\x0B\x0C\x0D\0",
      62);
  const auto bgr = decoded(header + std::string("\x01\x01\0\x02\x02\0\x01\x07\0\x01", 10), kPoison);
  REQUIRE(bgr.ok());
  const std::vector<std::uint8_t> first{1, 2, 3};
  std::vector<std::uint8_t> expected;
  for (int i = 0; i < 8; ++i) expected.insert(expected.end(), first.begin(), first.end());
  expected[12] = 11;
  expected[13] = 12;
  expected[14] = 13;
  expected[21] = expected[22] = expected[23] = 0;
  CHECK(*bgr == expected);
}
