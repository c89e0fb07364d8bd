// `yolod --init` looks at the content of files to find the parts of a model. The front-end contains no reader of
// models, so this check is short and can be wrong. `yolod --check` lets the workers read the files.
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

// Returns the model files among the regular files of the folder, sorted by name. It does not search folders inside
// it. It reads at most the first and the last MiB of each of at most 10,000 files. Returns kSystem if the folder
// cannot be read.
[[nodiscard]] common::Outcome<std::vector<ModelFile>> find_model_files(const std::filesystem::path& folder);

}  // namespace yolod::app::first_run
