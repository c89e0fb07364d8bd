#include "model/eval/labelled_folder.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <system_error>

namespace yolod::model::eval {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& file) {
  constexpr std::array<std::string_view, 10> kExtensions{".jpg", ".jpeg", ".png", ".webp", ".bmp",
                                                         ".tif", ".tiff", ".pnm", ".ppm",  ".pgm"};
  auto extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

}  // namespace

common::Outcome<std::vector<fs::path>> pictures_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (is_picture(entry->path())) files.push_back(entry->path());
  }
  if (failed) return common::Error{common::ErrorCode::kInvalidParameter, folder.string() + ": " + failed.message()};
  if (files.empty()) return common::Error{common::ErrorCode::kInvalidParameter, "no picture in " + folder.string()};
  std::sort(files.begin(), files.end());
  return files;
}

fs::path label_file_of(const fs::path& picture, const fs::path& labels) {
  return (labels / picture.stem()).concat(".txt");
}

}  // namespace yolod::model::eval
