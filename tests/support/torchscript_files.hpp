// TorchScript files made by Debian's python3-torch for a test, with what Python makes of them (make_torchscript.py).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace yolod::tests {

// Why there can be none here: no python3-torch or python3-torchvision. Empty: there can. Asks once per process.
[[nodiscard]] std::string reason_to_skip_torchscript();

// A folder with those files, for all tests of this build: each is made once, by the first test that asks, and again
// when the script has changed. Throws, with what the script said, where it fails.
[[nodiscard]] std::filesystem::path torchscript_files(const std::vector<std::string>& names);

// Writes one of them into `folder`: for one that is too large to keep.
void make_torchscript(const std::filesystem::path& folder, const std::string& name);

// The largest difference between two pictures, or two .npy or .npz files. Throws where their shapes differ.
[[nodiscard]] double largest_difference(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace yolod::tests
