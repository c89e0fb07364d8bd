// Compares the raw output of a network with the output of another program for the same input.
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "model/files/npy.hpp"
#include "model/network.hpp"

namespace yolod::tests {

inline std::vector<float> values_in(const std::filesystem::path& file) {
  auto array = model::read_npy(file);
  REQUIRE(array.ok());
  return std::move(array).value().values;
}

// Returns the network's output for the images in a file. The images are [images, 3, height, width] and have the
// network's input size.
inline std::vector<float> run_on_file(model::Network& network, const std::filesystem::path& file) {
  const auto images = values_in(file);
  const auto& shape = network.shape();
  const auto pixels = shape.height * shape.width;
  const auto count = images.size() / shape.input_count();
  REQUIRE(images.size() == count * 3 * pixels);
  const auto input = network.new_input(count);
  REQUIRE(input.ok());
  const auto room = (*input)->values();
  for (std::size_t n = 0; n < count; ++n) {
    for (std::size_t i = 0; i < pixels; ++i) {
      for (std::size_t c = 0; c < 3; ++c) room[(n * pixels + i) * 3 + c] = images[(n * 3 + c) * pixels + i];
    }
  }
  const auto head = network.forward(**input, count, {});
  INFO((head ? std::string() : head.error().message));
  REQUIRE(head.ok());
  return {head->values.begin(), head->values.end()};
}

// Returns the largest difference, in units of 1e-3 + 1e-4 |b|.
inline double distance(const std::vector<float>& actual, const std::vector<float>& expected) {
  REQUIRE(actual.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double off = std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i])) /
                       (1e-3 + 1e-4 * std::abs(static_cast<double>(expected[i])));
    if (!(off <= worst)) worst = off;
  }
  return worst;
}

}  // namespace yolod::tests
