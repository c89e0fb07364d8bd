// The statistics of one model, as the Open Inference Protocol defines them. No number ever falls: a reload keeps them,
// and a model that is removed and comes back continues to count. Only the front-end's thread uses them.
#pragma once

#include <bit>
#include <cstdint>
#include <map>

#include "common/domain/work_times.hpp"

namespace yolod::app::observe {

struct ModelStatistics {
  struct Duration {
    std::uint64_t count{0};
    std::uint64_t ns{0};

    void add(std::uint64_t us) {
      ++count;
      ns += us * 1000;
    }
  };
  // This is the work on all batches with one count of rows.
  struct Batch {
    std::uint64_t count{0};  // batches that workers were given
    std::uint64_t input_ns{0};
    std::uint64_t infer_ns{0};
    std::uint64_t output_ns{0};
  };

  // `success` and `fail` are HTTP requests. A request may contain several inputs.
  Duration success;
  Duration fail;
  // The next four are inputs that the model has answered.
  Duration queue;
  Duration compute_input;
  Duration compute_infer;
  Duration compute_output;
  // The rows of these inputs. A picture is a row. An input of a model with batch.max_rows has as many rows as its first
  // side says. Any other input is a row.
  std::uint64_t inference_count{0};
  std::uint64_t execution_count{0};        // batches that workers were given
  std::uint64_t last_inference_ms{0};      // since 1970; 0: none
  std::map<std::uint32_t, Batch> batches;  // by size_class()

  // Returns the rows of a batch, rounded up to a power of two if there are more than 256. Otherwise clients could add
  // any number of entries.
  [[nodiscard]] static std::uint32_t size_class(std::uint32_t rows) {
    constexpr std::uint32_t kMostExact = 256;
    return rows <= kMostExact ? rows : std::bit_ceil(rows);
  }
  void batch_began(std::uint32_t rows) {
    ++execution_count;
    ++batches[size_class(rows)].count;
  }
  // Each input of a batch waited for the whole forward pass, so an input counts only its share of the batch's pass.
  void input_ended(std::uint32_t queue_us, const common::WorkTimes& times, std::uint32_t rows, std::uint32_t batch_rows,
                   std::uint64_t now_ms) {
    queue.add(queue_us);
    compute_input.add(times.decode_us);
    compute_infer.add(times.infer_us);
    compute_output.add(times.post_us);
    inference_count += rows;
    last_inference_ms = now_ms;
    Batch& batch = batches[size_class(batch_rows)];
    batch.input_ns += std::uint64_t{times.decode_us} * 1000;
    if (batch_rows != 0) batch.infer_ns += std::uint64_t{times.infer_us} * 1000 * rows / batch_rows;
    batch.output_ns += std::uint64_t{times.post_us} * 1000;
  }
};

}  // namespace yolod::app::observe
