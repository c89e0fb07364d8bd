// yolodctl-frames reads a video file or a V4L2 camera with OpenCV and writes its pictures to standard output. Each
// picture is its length in 4 bytes, the least first, and then its bytes as JPEG. `yolodctl watch` starts this program.
//
//   yolodctl-frames FILE | /dev/videoN
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>
#include <string_view>
#include <vector>

namespace {

bool open(cv::VideoCapture& video, const char* path) {
  constexpr std::string_view kCamera = "/dev/video";
  const std::string_view text(path);
  if (!text.starts_with(kCamera)) return video.open(path);
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data() + kCamera.size(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return false;
  return video.open(number, cv::CAP_V4L2);
}

bool write(const std::vector<unsigned char>& bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  const std::array<std::uint8_t, 4> head{static_cast<std::uint8_t>(length), static_cast<std::uint8_t>(length >> 8U),
                                         static_cast<std::uint8_t>(length >> 16U),
                                         static_cast<std::uint8_t>(length >> 24U)};
  return std::fwrite(head.data(), head.size(), 1, stdout) == 1 &&
         std::fwrite(bytes.data(), bytes.size(), 1, stdout) == 1 && std::fflush(stdout) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: yolodctl-frames FILE | /dev/videoN\n", stderr);
    return 2;
  }
  try {
    cv::VideoCapture video;
    if (!open(video, argv[1])) {
      std::fprintf(stderr, "yolodctl: %s: OpenCV cannot read it\n", argv[1]);
      return 1;
    }
    constexpr int kQuality = 90;
    const std::vector<int> settings{cv::IMWRITE_JPEG_QUALITY, kQuality};
    cv::Mat picture;
    std::vector<unsigned char> bytes;
    while (video.read(picture) && !picture.empty()) {
      if (!cv::imencode(".jpg", picture, bytes, settings) || !write(bytes)) return 1;
    }
  } catch (const cv::Exception& failure) {
    std::fprintf(stderr, "yolodctl: %s: %s\n", argv[1], failure.what());
    return 1;
  }
  return 0;
}
