// `yolod --init` looks at the content of files to find the parts of a model. The front-end contains no reader of
// models, so this look is short and can be wrong. `yolod --check` lets the workers read the files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/domain/task.hpp"
#include "common/outcome.hpp"

namespace yolod::app::first_run {

enum class FileKind { kCfg, kDarknetWeights, kCheckpoint, kTorchScript, kLabels };

struct ModelFile {
  std::string name;  // within its folder
  FileKind kind;
  common::Task task{common::Task::kDetect};  // of a cfg or a TorchScript file
  std::size_t classes{0};                    // of a cfg (0: unknown), or the number of labels

  // Gives the name without its extension.
  [[nodiscard]] std::string stem() const { return std::filesystem::path(name).stem().string(); }
};

// Tells the kind of a file by its name, its first bytes and its size, and by its last bytes if it is a zip archive. A
// text must be whole in `begin`. Gives nothing for any other file. Any bytes are safe.
[[nodiscard]] std::optional<ModelFile> recognise(const std::string& name, std::string_view begin, std::string_view end,
                                                 std::uint64_t size);

// Finds the model files among the regular files of that folder, but not in folders inside it, and sorts them by name.
// It reads at most the first and the last MiB of each of at most 10,000 files. An Error says that the folder cannot be
// read.
[[nodiscard]] common::Outcome<std::vector<ModelFile>> find_model_files(const std::filesystem::path& folder);

}  // namespace yolod::app::first_run
