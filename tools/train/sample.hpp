// The samples that the network learns from: inputs, and the objects in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace yolod::train {

// An object in a network's input, by its centre and size in pixels of the input.
struct Target {
  std::uint32_t class_id{0};
  float x{0};
  float y{0};
  float width{0};
  float height{0};
  // The object is too small or too hidden. The cells that it covers learn neither that an object is there nor that
  // none is there.
  bool ignored{false};
};

// Has one input for each list in `targets`. Plain values: any thread may use them.
struct Batch {
  std::vector<float> pixels;  // [images, height, width, 3], RGB, 0..1
  std::vector<std::vector<Target>> targets;

  [[nodiscard]] std::size_t images() const { return targets.size(); }
};

// A range of consecutive pictures of a batch.
struct BatchPart {
  std::size_t first{0};
  std::size_t count{0};
};

}  // namespace yolod::train
