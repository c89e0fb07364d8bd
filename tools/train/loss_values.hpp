// The parts of a step's loss, as numbers for the status line.
#pragma once

namespace yolod::train {

// Sums over a batch or a part of it, divided by the number of matched places in the batch. Only `total` is weighted.
struct LossValues {
  double total{0};
  double box{0};
  double object{0};
  double classes{0};

  LossValues& operator+=(const LossValues& other) {
    total += other.total;
    box += other.box;
    object += other.object;
    classes += other.classes;
    return *this;
  }
};

}  // namespace yolod::train
