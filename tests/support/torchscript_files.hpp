// TorchScript files that Debian's python3-torch makes for a test, with Python's results for them
// (make_torchscript.py).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace yolod::tests {

// Returns why these files cannot be made here: python3-torch or python3-torchvision is missing. Returns an empty
// string if they can. Each process checks once.
[[nodiscard]] std::string reason_to_skip_torchscript();

// Returns a folder with those files, for all tests of this build. The first test that needs a file makes it, and
// makes it again when the script has changed. Throws an error with the script's output if the script fails.
[[nodiscard]] std::filesystem::path torchscript_files(const std::vector<std::string>& names);

// Writes a file into `folder`. Use this for a file that is too large to keep.
void make_torchscript(const std::filesystem::path& folder, const std::string& name);

// Returns the largest difference between two pictures, or between two .npy or .npz files. Throws if their shapes
// differ.
[[nodiscard]] double largest_difference(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace yolod::tests
