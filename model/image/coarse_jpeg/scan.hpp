// Reads all blocks of a picture from a file's entropy-coded data, in the order of the scan.
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
  // A sequence of whole MCUs. If `restarts`, DC starts again at 0.
  struct Run {
    std::span<const Block> blocks;
    bool restarts;
  };
  std::vector<Run> runs;
  std::vector<std::unique_ptr<Block[]>> storage;  // owns the blocks
};

enum class Reading {
  kFastest,     // in lanes if the processor has them and the file is large enough
  kOneByOne,    // without lanes
  kInManyParts  // in lanes if the processor has them, also for small files; for tests
};

// Returns nullopt for faulty data: it ends early or late, has an invalid code, or restarts at another place than its
// header says. Any bytes are safe. It allocates a copy of the data, 16 bytes for each block if the data could have
// that many blocks, and 32 bytes for each restart interval. It also returns nullopt if `budget` is given and used up.
[[nodiscard]] std::optional<Scan> read_scan(const BaselineFile& file, Reading reading = Reading::kFastest,
                                            codec::Budget* budget = nullptr);

}  // namespace yolod::model::image::coarse
