// All blocks of a picture, in the order of its scan, from the entropy-coded data of a file.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/image/budget.hpp"
#include "model/image/coarse_jpeg/baseline_file.hpp"
#include "model/image/coarse_jpeg/block.hpp"

namespace yolod::model::image::coarse {

struct Scan {
  // Whole MCUs that follow each other. DC begins anew, from 0, where `restarts`.
  struct Run {
    std::span<const Block> blocks;
    bool restarts;
  };
  std::vector<Run> runs;
  std::vector<std::unique_ptr<Block[]>> storage;  // what they are of
};

enum class Reading {
  kFastest,     // in lanes where the processor has them and the file is worth it
  kOneByOne,    // without
  kInManyParts  // in lanes where the processor has them, however little there is to read: for tests
};

// Nothing where the data has a fault: ends early or late, holds a code that there is not, restarts elsewhere than it
// says. Any bytes are safe; takes memory for the data once more, for 16 bytes a block, where the data could hold that
// many, and for 32 bytes a restart interval. Nothing either once `budget`, if there is one, is spent.
[[nodiscard]] std::optional<Scan> read_scan(const BaselineFile& file, Reading reading = Reading::kFastest,
                                            codec::Budget* budget = nullptr);

}  // namespace yolod::model::image::coarse
