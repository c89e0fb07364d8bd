// What the network learns from: pictures as its input, and what is in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace yolod::train {

// An object in a network's input. Centre and size in pixels of the input.
struct Target {
  std::uint32_t class_id{0};
  float x{0};
  float y{0};
  float width{0};
  float height{0};
  // Too small or too hidden to be asked for: nothing is learned from the cells that it covers, neither that an object
  // is there nor that none is.
  bool ignored{false};
};

// As many inputs as `targets` has lists. Plain values: any thread.
struct Batch {
  std::vector<float> pixels;  // [images, height, width, 3], RGB, 0..1
  std::vector<std::vector<Target>> targets;

  [[nodiscard]] std::size_t images() const { return targets.size(); }
};

// Pictures of a batch that follow each other, and what is in them.
struct BatchPart {
  std::size_t first{0};
  std::size_t count{0};
};

}  // namespace yolod::train
