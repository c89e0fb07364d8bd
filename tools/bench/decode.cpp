// Compares the cost of yolod's decoding with OpenCV's imdecode for twelve typical files. tools/bench/decode runs it.
//
//   bench_decode PHOTO [ROUNDS]
//
// It prints a line for each file: name, bytes, milliseconds of processor time in both programs (medians, measured in
// turn), ratio.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/image/codec/decode.hpp"

namespace {

using yolod::model::image::Size;
using Bytes = std::vector<unsigned char>;

struct File {
  std::string name;
  Bytes bytes;
  std::optional<Size> needed;
  int flags{cv::IMREAD_COLOR};
};

double milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

Bytes encoded(const char* kind, const cv::Mat& picture, const std::vector<int>& options = {}) {
  Bytes file;
  if (!cv::imencode(kind, picture, file, options)) {
    std::fprintf(stderr, "bench_decode: cannot make a %s file\n", kind);
    std::exit(2);
  }
  return file;
}

// Enlarges the photo and adds the noise of a sensor, as if a camera had taken it in this size.
cv::Mat enlarged(const cv::Mat& photo, cv::Size size) {
  cv::Mat large;
  cv::resize(photo, large, size, 0, 0, cv::INTER_CUBIC);
  cv::Mat noise(size, CV_16SC3);
  cv::setRNGSeed(1);
  cv::randn(noise, 0, 2.5);
  cv::add(large, noise, large, cv::noArray(), CV_8U);
  return large;
}

std::vector<File> typical_files(const cv::Mat& photo) {
  const auto small = enlarged(photo, {1024, 768});
  const auto middle = enlarged(photo, {2000, 1500});
  const auto large = enlarged(photo, {4000, 3000});
  const std::vector<int> progressive{cv::IMWRITE_JPEG_PROGRESSIVE, 1};
  const auto camera = encoded(".jpg", large);
  constexpr int kLzw = 5;
  constexpr int kLossless = 101;
  return {
      {"JPEG 0.8 MP", encoded(".jpg", small), {}},
      {"JPEG 12 MP", camera, {}},
      {"JPEG 12 MP, an eighth", camera, Size{200, 200}, cv::IMREAD_REDUCED_COLOR_8},
      {"JPEG progressive 0.8 MP", encoded(".jpg", small, progressive), {}},
      {"PNG 0.8 MP", encoded(".png", small), {}},
      {"PNG 12 MP", encoded(".png", large), {}},
      {"WebP lossy 0.8 MP", encoded(".webp", small, {cv::IMWRITE_WEBP_QUALITY, 85}), {}},
      {"WebP lossless 3 MP", encoded(".webp", middle, {cv::IMWRITE_WEBP_QUALITY, kLossless}), {}},
      {"TIFF LZW 0.8 MP", encoded(".tif", small, {cv::IMWRITE_TIFF_COMPRESSION, kLzw}), {}},
      {"TIFF plain 12 MP", encoded(".tif", large, {cv::IMWRITE_TIFF_COMPRESSION, 1}), {}},
      {"BMP 12 MP", encoded(".bmp", large), {}},
      {"PPM 12 MP", encoded(".ppm", large), {}},
  };
}

void measure(const File& file, int rounds) {
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int round = 0; round <= rounds; ++round) {
    const auto began = milliseconds();
    const auto picture = yolod::model::image::decode(std::as_bytes(std::span(file.bytes)),
                                                     {.max_time = std::chrono::minutes(1)}, file.needed);
    const auto between = milliseconds();
    const auto reference = cv::imdecode(file.bytes, file.flags);
    const auto ended = milliseconds();
    if (!picture || reference.empty() || picture->view().width != reference.cols) {
      std::fprintf(stderr, "bench_decode: %s: %s\n", file.name.c_str(),
                   picture ? "not the same picture" : picture.error().message.c_str());
      std::exit(1);
    }
    if (round == 0) continue;  // the first round of each is slower
    ours.push_back(between - began);
    theirs.push_back(ended - between);
  }
  std::printf("%-26s %9zu %9.2f %9.2f %6.2f\n", file.name.c_str(), file.bytes.size(), median(ours), median(theirs),
              median(ours) / median(theirs));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_decode PHOTO [ROUNDS]\n");
    return 2;
  }
  cv::setNumThreads(1);
  const auto photo = cv::imread(argv[1]);
  if (photo.empty()) {
    std::fprintf(stderr, "bench_decode: %s is no picture\n", argv[1]);
    return 2;
  }
  std::printf("%-26s %9s %9s %9s %6s\n", "file", "bytes", "yolod ms", "OpenCV ms", "ratio");
  for (const auto& file : typical_files(photo)) measure(file, argc > 2 ? std::atoi(argv[2]) : 21);
  return 0;
}
