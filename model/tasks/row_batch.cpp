#include "model/tasks/row_batch.hpp"

#include <algorithm>
#include <utility>

#include "common/clock.hpp"
#include "common/log.hpp"

namespace yolod::model {
namespace {

using common::Clock;
using common::NamedTensor;
using common::TensorArray;
using Tensors = RowBatch::Tensors;

// Returns whether both requests have tensors of the same types and of the same sides behind the first.
bool are_alike(const Tensors& a, const Tensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const TensorArray& one, const TensorArray& other) {
    return one.type == other.type &&
           std::equal(one.shape.begin() + 1, one.shape.end(), other.shape.begin() + 1, other.shape.end());
  });
}

// Appends the rows of the other requests to the first request, and frees the memory of each copied tensor.
Tensors join(std::span<Tensors> requests, std::span<const std::size_t> members) {
  Tensors joined = std::move(requests[members.front()]);
  for (std::size_t t = 0; t < joined.size(); ++t) {
    std::size_t bytes = joined[t].bytes.size();
    for (const std::size_t member : members.subspan(1)) bytes += requests[member][t].bytes.size();
    joined[t].bytes.reserve(bytes);
    for (const std::size_t member : members.subspan(1)) {
      TensorArray& more = requests[member][t];
      joined[t].shape.front() += more.shape.front();
      joined[t].bytes.insert(joined[t].bytes.end(), more.bytes.begin(), more.bytes.end());
      more.bytes = std::vector<std::byte>();
    }
  }
  return joined;
}

// Returns `count` rows from row `first` on. REQUIRES: the first side of the tensor is its count of rows, and not 0.
TensorArray rows_of(const TensorArray& whole, std::size_t first, std::size_t count) {
  TensorArray part{whole.type, whole.shape, {}};
  const std::size_t row_bytes = whole.bytes.size() / static_cast<std::size_t>(whole.shape.front());
  part.shape.front() = static_cast<std::int64_t>(count);
  const auto begin = whole.bytes.begin() + static_cast<std::ptrdiff_t>(first * row_bytes);
  part.bytes.assign(begin, begin + static_cast<std::ptrdiff_t>(count * row_bytes));
  return part;
}

}  // namespace

std::size_t row_count(const Tensors& tensors) {
  if (tensors.empty()) return 0;
  const auto rows = tensors.front().shape.empty() ? 0 : tensors.front().shape.front();
  const bool are_equal = std::all_of(tensors.begin(), tensors.end(), [rows](const TensorArray& tensor) {
    return !tensor.shape.empty() && tensor.shape.front() == rows;
  });
  return are_equal ? static_cast<std::size_t>(rows) : 0;
}

std::vector<RowBatch::Answer> RowBatch::run(std::vector<Tensors> requests) {
  std::vector<Answer> answers(requests.size());
  std::vector<bool> is_done(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (is_done[i]) continue;
    std::vector<std::size_t> members{i};
    std::size_t rows = may_join_ ? row_count(requests[i]) : 0;
    for (std::size_t other = i + 1; rows != 0 && other < requests.size(); ++other) {
      const std::size_t more = is_done[other] ? 0 : row_count(requests[other]);
      if (more == 0 || rows + more > max_rows_ || !are_alike(requests[i], requests[other])) continue;
      rows += more;
      is_done[other] = true;
      members.push_back(other);
    }
    if (members.size() == 1) {
      run_alone(std::move(requests[i]), answers[i]);
    } else {
      run_joined(requests, members, answers);
    }
  }
  return answers;
}

void RowBatch::run_alone(Tensors request, Answer& answer) const {
  const auto start = Clock::now();
  answer.results = run_(std::move(request));
  answer.infer_us = common::elapsed_us(start, Clock::now());
}

void RowBatch::run_joined(std::span<Tensors> requests, std::span<const std::size_t> members,
                          std::vector<Answer>& answers) {
  std::vector<std::size_t> counts;
  for (const std::size_t member : members) counts.push_back(row_count(requests[member]));
  const Tensors joined = join(requests, members);
  const auto total = joined.front().shape.front();
  const auto start = Clock::now();
  const Results results = run_(joined);  // a copy, because the requests may be computed again
  const auto infer_us = common::elapsed_us(start, Clock::now());
  const bool has_rows = results && std::all_of(results->begin(), results->end(), [total](const NamedTensor& tensor) {
                          return !tensor.array.shape.empty() && tensor.array.shape.front() == total;
                        });
  if (results && !has_rows) {
    may_join_ = false;
    common::log_warning(
        "batch.max_rows: the results of {} rows have another count of rows: requests are computed one by one from now "
        "on",
        total);
  }
  std::size_t first = 0;
  for (std::size_t m = 0; m < members.size(); ++m) {
    Answer& answer = answers[members[m]];
    if (!has_rows) {
      Tensors own;
      for (const TensorArray& whole : joined) own.push_back(rows_of(whole, first, counts[m]));
      run_alone(std::move(own), answer);
    } else {
      std::vector<NamedTensor> own;
      for (const NamedTensor& whole : *results) own.push_back({whole.name, rows_of(whole.array, first, counts[m])});
      answer.results = std::move(own);
      answer.infer_us = infer_us;
    }
    first += counts[m];
  }
}

}  // namespace yolod::model
