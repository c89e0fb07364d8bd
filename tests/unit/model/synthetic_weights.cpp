#include "tests/unit/model/synthetic_weights.hpp"

#include <cmath>
#include <cstdint>
#include <fstream>
#include <variant>
#include <vector>

#include "model/darknet/weights.hpp"

namespace yolod::tests {
namespace {

class Stream {
 public:
  double next() {
    std::uint64_t z = ++index_ * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    z ^= z >> 31U;
    return static_cast<double>(z >> 40U) / 8'388'608.0 - 1.0;
  }

  std::vector<float> values(std::int64_t count, double center, double spread) {
    std::vector<float> out(static_cast<std::size_t>(count));
    for (auto& value : out) value = static_cast<float>(center + spread * next());
    return out;
  }

 private:
  std::uint64_t index_{0};
};

}  // namespace

void write_synthetic_weights(const model::darknet::Network& network, double gain, const std::filesystem::path& file) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  const auto write = [&out](const auto& values) {
    out.write(reinterpret_cast<const char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof values.front()));
  };
  write(std::vector<std::int32_t>{0, 2, 5});
  write(std::vector<std::uint64_t>{64});
  Stream stream;
  for (const auto& layer : network.layers) {
    if (std::holds_alternative<model::darknet::Shortcut>(layer.kind) && model::darknet::weight_count(layer) > 0)
      write(stream.values(model::darknet::weight_count(layer), 0.5, 0.1));
    const auto* convolution = std::get_if<model::darknet::Convolutional>(&layer.kind);
    if (convolution == nullptr) continue;
    const std::int64_t filters = convolution->filters;
    const std::int64_t fan_in =
        static_cast<std::int64_t>(layer.input.channels / convolution->groups) * convolution->size * convolution->size;
    write(stream.values(filters, 0, 0.1));
    if (convolution->batch_normalize) {
      write(stream.values(filters, 1, 0.25));
      write(stream.values(filters, 0, 0.1));
      write(stream.values(filters, 1, 0.5));
    }
    const double limit = std::sqrt(6.0 / static_cast<double>(fan_in));
    std::vector<float> weights(static_cast<std::size_t>(filters * fan_in));
    for (auto& weight : weights) weight = static_cast<float>(stream.next() * gain * limit);
    write(weights);
  }
}

}  // namespace yolod::tests
