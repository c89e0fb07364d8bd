// The file with the scores of each validation of a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::train {

struct CurvePoint {
  double minutes{0};
  std::uint64_t step{0};
  // A value is empty if it was not measured.
  std::optional<double> loss;
  std::optional<double> ap50;
  std::optional<double> ap50_95;
};

// The file has a heading, then one line for each point. Tabs separate the values, and `-` means that a value was not
// measured. One thread uses a Curve.
class Curve {
 public:
  explicit Curve(std::filesystem::path file) : file_(std::move(file)) {}

  // Reads the file's points up to this step; the run will do later steps again. If there is no file, there are no
  // points. Skips lines that are not points. Returns kBadModel if the file exists and cannot be read.
  [[nodiscard]] common::Outcome<void> read(std::uint64_t last_step);

  void add(const CurvePoint& point);
  [[nodiscard]] const std::vector<CurvePoint>& points() const { return points_; }

  // Replaces the file if points were added since. Returns kSystem on failure, and then the next call tries again.
  [[nodiscard]] common::Outcome<void> write();

 private:
  std::filesystem::path file_;
  std::vector<CurvePoint> points_;
  bool written_{false};
};

}  // namespace yolod::train
