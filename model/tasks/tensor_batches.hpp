// Answers requests whose content is tensors: reads the tensors, computes them with a function and writes the results.
//
// Compressed or JSON content of a few bytes can become large tensors. So the bytes that a request takes are counted
// before they are allocated: its decompressed content, its tensors, and their copy if the rows of several requests are
// joined. All of them together are at most `max_bytes`. Requests of a batch that do not fit beside those before them
// are read when these have been computed. A request that does not fit alone is refused.
//
// With `max_rows` the requests of a batch are computed together, and their tensors may be read while the batch before
// is computed. Each of the two batches then has half of the memory, so that neither waits for the other.
//
// The file does not use torch, so that tests need no LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/tensor.hpp"
#include "common/outcome.hpp"
#include "model/image/decode_memory.hpp"
#include "model/model.hpp"
#include "model/tasks/row_batch.hpp"

namespace yolod::model {

// A model owns it. Only decode() may run beside another call.
class TensorBatches {
 public:
  struct Settings {
    std::vector<std::string> names;                   // of the network's inputs, in its order
    bool takes_more{false};                           // the network takes further tensors
    std::optional<common::TensorConfig> raw_input{};  // set if a raw request may have the only input
    std::size_t max_rows{0};                          // 0: each request is computed alone
    std::uint64_t max_bytes{0};
  };
  // `run` runs the network and throws nothing.
  TensorBatches(Settings settings, RowBatch::Run run);

  // These functions have the contracts of Model. decode() and run_decoded() REQUIRE: max_rows is not 0.
  [[nodiscard]] bool decodes_ahead() const { return rows_.has_value(); }
  [[nodiscard]] std::unique_ptr<Model::Decoded> decode(std::span<const Input> inputs);
  [[nodiscard]] std::vector<Output> run_decoded(std::unique_ptr<Model::Decoded> decoded);
  [[nodiscard]] std::vector<Output> run(std::span<const Input> inputs);

 private:
  // The tensors of one request, and their share of the memory.
  struct Request {
    RowBatch::Tensors tensors;
    std::string header;  // of a compressed request
    image::DecodeMemory::Share share;
  };
  struct Batch;
  enum class Marks { kSet, kKept };
  using Reserve = std::function<bool(std::uint64_t bytes)>;

  // Returns true if `request` has the tensors, and false if there is no room for them now.
  [[nodiscard]] common::Outcome<bool> read(const Input& input, image::DecodeMemory& memory, Request& request) const;
  [[nodiscard]] common::Outcome<RowBatch::Tensors> read_tensors(const Input& input, const Reserve& reserve,
                                                                std::string& header) const;
  // Reads the next requests of the batch while there is room for them.
  void read_more(Batch& batch, image::DecodeMemory& memory, Marks marks) const;
  // Computes and answers the requests that have been read, and frees their memory.
  void compute_read(Batch& batch);
  void answer_alone(const Input& input, Output& output);

  const Settings settings_;
  const RowBatch::Run run_;
  std::optional<RowBatch> rows_;
  const std::uint64_t copies_;  // how often the tensors of a request exist at the same time
  mutable image::DecodeMemory memory_;
  mutable image::DecodeMemory ahead_memory_;  // of batches that are read ahead
};

}  // namespace yolod::model
