// Finds pictures and their label files in folders. A label file has the name of its picture.
#pragma once

#include <filesystem>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::model::eval {

// Returns the files of a folder that have the file extension of a picture, ordered by name. An Error has code
// kInvalidParameter: the folder cannot be read or holds no such file.
[[nodiscard]] common::Outcome<std::vector<std::filesystem::path>> pictures_in(const std::filesystem::path& folder);

// Returns the path of a picture's label file: the picture's name with the extension .txt. By custom a picture
// without objects needs no label file.
[[nodiscard]] std::filesystem::path label_file_of(const std::filesystem::path& picture,
                                                  const std::filesystem::path& labels);

}  // namespace yolod::model::eval
