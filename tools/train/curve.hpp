// How good the weights were at each validation of a run, as a file.
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
  // Nothing where it was not measured.
  std::optional<double> loss;
  std::optional<double> ap50;
  std::optional<double> ap50_95;
};

// A heading, then a line for each validation, its values behind tabs; `-` for one that was not measured. One thread.
class Curve {
 public:
  explicit Curve(std::filesystem::path file) : file_(std::move(file)) {}

  // Takes over what the file has up to this step; later lines are of steps that will be done again. No file, no lines;
  // what is none of ours is dropped. kBadModel where it is there and cannot be read.
  [[nodiscard]] common::Outcome<void> read(std::uint64_t last_step);

  void add(const CurvePoint& point);
  [[nodiscard]] const std::vector<CurvePoint>& points() const { return points_; }

  // Replaces the file where it lacks something. kSystem where that fails: the next time tries again.
  [[nodiscard]] common::Outcome<void> write();

 private:
  std::filesystem::path file_;
  std::vector<CurvePoint> points_;
  bool written_{false};
};

}  // namespace yolod::train
