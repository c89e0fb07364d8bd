// Computes requests to a network on tensors together. The first dimension of each tensor is a batch: its elements are
// rows, and a row's result depends on no other row. A RowBatch puts the rows of several requests into one run of the
// network and gives each request its own rows of the results.
//
// The file does not use torch, and the network is a function, so that tests need no LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/domain/tensor.hpp"
#include "common/outcome.hpp"

namespace yolod::model {

// A model owns it. Only one thread at a time uses it.
class RowBatch {
 public:
  using Tensors = std::vector<common::TensorArray>;  // the inputs of a request, in the network's order
  using Results = common::Outcome<std::vector<common::NamedTensor>>;
  using Run = std::function<Results(Tensors)>;

  // `run` runs the network and throws nothing. REQUIRES: max_rows is not 0.
  RowBatch(std::size_t max_rows, Run run) : max_rows_(max_rows), run_(std::move(run)) {}

  struct Answer {
    Results results{common::Error{}};
    std::uint32_t infer_us{0};  // the time of the run that gave these results
  };
  // Returns an answer for each request, in order. Requests whose tensors have the same types and the same sides behind
  // the first are computed together, at most max_rows rows at a time. A request with another count of rows in each
  // tensor, without rows, or with more than max_rows is computed alone. If the network refuses a joint run, the
  // requests of that run are computed one by one. If its results have another count of rows, this object never joins
  // requests again, because a later count could be equal by chance, and a client would get another client's rows.
  [[nodiscard]] std::vector<Answer> run(std::vector<Tensors> requests);

 private:
  void run_alone(Tensors request, Answer& answer) const;
  void run_joined(std::span<Tensors> requests, std::span<const std::size_t> members, std::vector<Answer>& answers);

  const std::size_t max_rows_;
  const Run run_;
  bool may_join_{true};
};

// Returns how many rows the tensors of a request have, or 0 if the network must compute this request alone.
[[nodiscard]] std::size_t row_count(const RowBatch::Tensors& tensors);

}  // namespace yolod::model
