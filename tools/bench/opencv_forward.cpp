// Runs OpenCV's DNN module on a Darknet network, for a comparison with yolodctl bench model.
//
//   opencv_forward CFG WEIGHTS THREADS SECONDS
//
// It prints the mean milliseconds of a pass over at least SECONDS, after three passes that do not count. The input
// has the cfg's size and one image.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// Returns the value of the first `key=value` with that key; a cfg has width and height once, in [net].
int side(const std::string& cfg, const std::string& key) {
  std::ifstream stream(cfg);
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind(key, 0) == 0) return std::atoi(line.substr(line.find('=') + 1).c_str());
  }
  return 0;
}

void run(const std::string& cfg, const std::string& weights, int threads, double seconds) {
  cv::setNumThreads(threads);
  auto net = cv::dnn::readNetFromDarknet(cfg, weights);
  net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
  net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
  const std::vector<int> shape{1, 3, side(cfg, "height"), side(cfg, "width")};
  cv::Mat input(shape, CV_32F);
  cv::randu(input, 0.0, 1.0);
  const auto heads = net.getUnconnectedOutLayersNames();
  std::vector<cv::Mat> outputs;
  const auto pass = [&] {
    net.setInput(input);
    net.forward(outputs, heads);
  };
  constexpr int kWarmUpPasses = 3;
  for (int i = 0; i < kWarmUpPasses; ++i) pass();
  const auto start = Clock::now();
  const auto elapsed_ms = [&] { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); };
  int passes = 0;
  do {
    pass();
    ++passes;
  } while (elapsed_ms() < 1000 * seconds);
  std::printf("%.4f\n", elapsed_ms() / passes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: opencv_forward CFG WEIGHTS THREADS SECONDS\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], std::atoi(argv[3]), std::atof(argv[4]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "opencv_forward: %s\n", error.what());
    return 1;
  }
}
