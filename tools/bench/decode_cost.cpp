// Measures the cost of decoding picture files within a server's default limits. It prints one line for each file: the
// processor time of this thread, the answer, and the size of the file. tools/bench/costliest runs it.
#include <ctime>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include "common/config/model_config.hpp"
#include "model/image/codec/decode.hpp"

namespace {

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace yolod;
  const common::LimitsConfig defaults;
  model::image::DecodeMemory memory(defaults.max_decode_memory_bytes);
  for (const char* name : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
    std::ifstream stream(name, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    const auto file = std::as_bytes(std::span(bytes.data(), bytes.size()));
    const double began = thread_seconds();
    // With the network's usual size the decoder uses a reduced scale where possible.
    const auto picture = model::image::decode(file, {defaults.max_pixels, defaults.max_decode_time},
                                              model::image::Size{416, 416}, &memory);
    const double took = thread_seconds() - began;
    const std::string answer = picture ? "decoded" : std::string(common::to_string(picture.error().code));
    std::printf("%.4f %s %zu %s\n", took, answer.c_str(), bytes.size(), name);
    std::fflush(stdout);
  }
  return 0;
}
