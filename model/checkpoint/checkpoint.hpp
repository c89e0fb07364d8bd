// Reads the tensors of a PyTorch checkpoint file by name. It reads files that torch.save wrote, in the zip format or
// in the older format (torch/serialization.py has both). It uses no Python: it reads only containers and tensors, and
// never runs code from the file.
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

// Returns whether the file begins like a checkpoint of either format. Returns false for an unreadable file, because
// the code that opens it next reports the reason.
[[nodiscard]] bool is_checkpoint(const std::filesystem::path& file);

// Keeps its file open. One thread uses it.
class Checkpoint {
 public:
  // Reads the names and positions of the tensors. Any bytes are safe. An Error has code kBadModel and one line that
  // names the file.
  [[nodiscard]] static common::Outcome<Checkpoint> open(const std::filesystem::path& file);

  [[nodiscard]] const std::string& name() const { return source_.name(); }  // the name of the file
  [[nodiscard]] const StateDict& tensors() const { return tensors_; }

  // Returns the tensor's values as floats, in C order. All calls together read no more bytes than the file has, so a
  // hostile file cannot make the process read the same bytes repeatedly. An Error has the same form as an Error of
  // open(). `name` appears only in its message.
  [[nodiscard]] common::Outcome<std::vector<float>> values(const std::string& name, const Tensor& tensor);

 private:
  struct Storage {
    std::uint64_t offset{0};  // in the file
    std::uint64_t size{0};    // in bytes
    std::uint32_t crc{0};     // CRC-32 of the bytes; 0: unknown
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
