#include "tests/support/torchscript_files.hpp"

#include <stdexcept>
#include <utility>

#include "tests/support/run_program.hpp"

namespace yolod::tests {
namespace {

constexpr const char* kPython = "/usr/bin/python3";  // the one that Debian's packages are for
constexpr const char* kScript = YOLOD_TEST_SOURCE_DIR "/tests/support/make_torchscript.py";

std::string run_script(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {kPython, "-W", "ignore", kScript});
  auto result = run_program(std::move(arguments), milliseconds(120'000));
  if (result.exit != exited(0)) throw std::runtime_error("make_torchscript.py: " + result.errors);
  return std::move(result.output);
}

}  // namespace

std::string reason_to_skip_torchscript() {
#if !YOLOD_TEST_WITH_TORCH
  return "this build has no LibTorch";
#else
  static const bool there = run_program({kPython, "-c", "import torch, torchvision"}).exit == exited(0);
  return there ? "" : "python3-torch or python3-torchvision is not installed";
#endif
}

void make_torchscript(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  std::vector<std::string> arguments{folder.string()};
  arguments.insert(arguments.end(), names.begin(), names.end());
  run_script(std::move(arguments));
}

double largest_difference(const std::filesystem::path& a, const std::filesystem::path& b) {
  return std::stod(run_script({"difference", a.string(), b.string()}));
}

}  // namespace yolod::tests
