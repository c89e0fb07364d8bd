// A PyTorch checkpoint file: its tensors by name, and their values. What torch.save writes, in its zip format and the
// one before it (both in torch/serialization.py), read without Python: containers and tensors, no code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/outcome.hpp"
#include "model/checkpoint/source.hpp"
#include "model/checkpoint/state_dict.hpp"

namespace yolod::model::checkpoint {

// Whether the file begins as a checkpoint of either format does. False too where it cannot be read: whoever opens it
// next says why.
[[nodiscard]] bool is_checkpoint(const std::filesystem::path& file);

// Keeps its file open. One thread.
class Checkpoint {
 public:
  // Reads the names and places of the tensors. Any bytes are safe. An Error is kBadModel, one line that names the file.
  [[nodiscard]] static common::Outcome<Checkpoint> open(const std::filesystem::path& file);

  [[nodiscard]] const std::string& name() const { return source_.name(); }  // its file's
  [[nodiscard]] const StateDict& tensors() const { return tensors_; }

  // The tensor's values as floats, in C order. All that is ever read of a checkpoint is no more than its file holds, so
  // a hostile one cannot have the same bytes read over and over. An Error as above; `name` is for its message.
  [[nodiscard]] common::Outcome<std::vector<float>> values(const std::string& name, const Tensor& tensor);

 private:
  struct Storage {
    std::uint64_t offset{0};  // in the file
    std::uint64_t size{0};    // bytes
    std::uint32_t crc{0};     // CRC-32 of them, 0 for unknown
  };

  explicit Checkpoint(Source source) : source_(std::move(source)) {}
  [[nodiscard]] common::Outcome<void> read_zip();
  [[nodiscard]] common::Outcome<void> read_legacy();
  [[nodiscard]] common::Error error(const std::string& what) const;

  Source source_;
  StateDict tensors_;
  std::map<std::string, Storage, std::less<>> storages_;
  std::uint64_t taken_bytes_{0};
};

}  // namespace yolod::model::checkpoint
