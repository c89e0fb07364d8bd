// `yolod --init` looks at the content of files to find the parts of a model. The front-end contains no reader of
// models, so this check is short and can be wrong. `yolod --check` lets the workers read the files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/domain/task.hpp"
#include "common/outcome.hpp"

namespace yolod::app::first_run {

enum class FileKind { kCfg, kDarknetWeights, kCheckpoint, kTorchScript, kLabels };

struct ModelFile {
  std::string name;  // name of the file within its folder
  FileKind kind;
  common::Task task{common::Task::kDetect};  // only for a cfg or a TorchScript file
  std::size_t classes{0};                    // classes of a cfg (0: unknown), or the number of labels

  // Returns the name without its extension.
  [[nodiscard]] std::string stem() const { return std::filesystem::path(name).stem().string(); }
};

// Recognises the kind of a file by its name, its first bytes and its size, and a zip archive also by its last bytes.
// `begin` must contain a text file as a whole. Returns nothing for any other file. Any bytes are safe.
[[nodiscard]] std::optional<ModelFile> recognise(const std::string& name, std::string_view begin, std::string_view end,
                                                 std::uint64_t size);

// Searches the regular files of a folder for model files in steps, so that an event loop can do other work between
// them. It does not search folders inside it. It reads at most the first and the last MiB of each of at most 10,000
// files.
//
// Any thread may use an object, one at a time.
class ModelFileSearch {
 public:
  static constexpr std::size_t kMostFiles = 10'000;
  // A folder with more than `most_files` entries is an Error of step().
  explicit ModelFileSearch(const std::filesystem::path& folder, std::size_t most_files = kMostFiles);
  ModelFileSearch(ModelFileSearch&&) noexcept;
  ModelFileSearch& operator=(ModelFileSearch&&) noexcept;
  ~ModelFileSearch();

  // Reads or examines about `budget_bytes` more. Returns true at the end. An Error has
  // code kSystem: the folder cannot be read.
  [[nodiscard]] common::Outcome<bool> step(std::size_t budget_bytes);
  // Returns the model files, sorted by name. REQUIRES: step() has returned true.
  [[nodiscard]] const std::vector<ModelFile>& files() const { return files_; }

 private:
  struct Look;

  std::optional<common::Error> failure_;
  std::vector<std::filesystem::path> paths_;
  std::size_t next_{0};
  std::unique_ptr<Look> look_;  // at the present file
  std::vector<ModelFile> files_;
};

// Does a whole search at once.
[[nodiscard]] common::Outcome<std::vector<ModelFile>> find_model_files(const std::filesystem::path& folder);

}  // namespace yolod::app::first_run
