// Compares yolod's decoders with OpenCV's decoders on the files of the test data.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "model/image/codec/codecs.hpp"
#include "model/image/codec/decode.hpp"
#include "model/image/codec/encode.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

using namespace yolod::model::image;
using yolod::common::ErrorCode;

namespace {

cv::Mat imdecode(const std::string& file) {
  const std::vector<unsigned char> bytes(file.begin(), file.end());
  return cv::imdecode(bytes, cv::IMREAD_COLOR);
}

int furthest(const PixelView& one, const cv::Mat& other) {
  if (one.width != other.cols || one.height != other.rows) return 1000;
  int most = 0;
  for (int y = 0; y < one.height; ++y) {
    const auto* row = one.bgr + static_cast<std::size_t>(y) * one.stride_bytes;
    for (int i = 0; i < 3 * one.width; ++i) most = std::max(most, std::abs(row[i] - other.ptr<std::uint8_t>(y)[i]));
  }
  return most;
}

}  // namespace

TEST_CASE("DecodeReference: the test data's pictures equal OpenCV's, except for stb_image's rounding of JPEG colours",
          "[model][unit][skips]") {
  const auto data = yolod::tests::test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  int compared = 0;
  for (const auto* folder : {"odd", "exif", "photos"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*data / folder)) {
      if (!entry.is_regular_file()) continue;
      const auto file = yolod::tests::read_file(entry.path());
      const auto bytes = std::as_bytes(std::span<const char>(file));
      const auto picture = decode(bytes, {.max_time = std::chrono::minutes(1)});
      if (!picture) continue;
      INFO(entry.path().filename());
      const auto format = codec::probe(bytes, 100'000'000)->format;
      // For 16-bit samples yolod drops the lower byte and OpenCV rounds.
      const int allowed = format == codec::Format::kJpeg ? 2 : format == codec::Format::kPnm ? 1 : 0;
      const auto reference = imdecode(file);
      if (reference.empty()) {
        CHECK(entry.path().filename() == "truncated_jpeg.jpg");  // the file lacks only its end marker
        continue;
      }
      CHECK(furthest(picture->view(), reference) <= allowed);
      ++compared;
    }
  }
  CHECK(compared > 100);
}

TEST_CASE("DecodeReference: the encoder writes the same bytes as OpenCV", "[model][unit]") {
  cv::Mat pixels(120, 201, CV_8UC3);
  cv::randu(pixels, 0, 255);
  const PixelView view{pixels.data, pixels.cols, pixels.rows, pixels.step[0]};
  for (const auto& [type, name] :
       {std::pair(yolod::common::FileType::kJpeg, ".jpg"), std::pair(yolod::common::FileType::kPng, ".png")}) {
    INFO(name);
    const auto ours = encode(view, type);
    REQUIRE(ours.ok());
    std::vector<unsigned char> theirs;
    REQUIRE(cv::imencode(name, pixels, theirs));
    const auto* first = reinterpret_cast<const unsigned char*>(ours->data());
    CHECK((std::vector<unsigned char>(first, first + ours->size()) == theirs));
  }
}
