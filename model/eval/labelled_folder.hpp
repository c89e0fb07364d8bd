// Folders of pictures and of label files that are named as the pictures are.
#pragma once

#include <filesystem>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::model::eval {

// The files of a folder whose names end as those of pictures do, ordered by name. kInvalidParameter where the folder
// cannot be read or holds none.
[[nodiscard]] common::Outcome<std::vector<std::filesystem::path>> pictures_in(const std::filesystem::path& folder);

// Where the labels of a picture are: the same name with .txt. By custom a picture without objects needs no such file.
[[nodiscard]] std::filesystem::path label_file_of(const std::filesystem::path& picture,
                                                  const std::filesystem::path& labels);

}  // namespace yolod::model::eval
