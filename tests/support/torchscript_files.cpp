#include "tests/support/torchscript_files.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "common/unique_fd.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

constexpr const char* kPython = "/usr/bin/python3";  // Debian's packages belong to this Python
constexpr const char* kScript = YOLOD_TEST_SOURCE_DIR "/tests/support/make_torchscript.py";
constexpr const char* kDifferenceScript = YOLOD_TEST_SOURCE_DIR "/tests/support/largest_difference.py";
constexpr const char* kImported = YOLOD_TEST_SOURCE_DIR "/tests/support/make_checkpoints.py";

std::string run_script(const std::string& script, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {kPython, "-W", "ignore", script});
  auto result = run_program(std::move(arguments), milliseconds(120'000));
  if (result.exit != exited(0)) throw std::runtime_error(script + ": " + result.errors);
  return std::move(result.output);
}

}  // namespace

std::string reason_to_skip_torchscript() {
  if (auto reason = reason_to_skip_networks(); !reason.empty()) return reason;
  // The program finds the modules without an import, which would take seconds.
  static const bool there = run_program({kPython, "-c",
                                         "import importlib.util, sys; "
                                         "sys.exit(not all(map(importlib.util.find_spec, ('torch', 'torchvision'))))"})
                                .exit == exited(0);
  return there ? "" : "python3-torch or python3-torchvision is not installed";
}

std::filesystem::path torchscript_files(const std::vector<std::string>& names) {
  const auto folder = binary_directory() / "torchscript_files";
  std::filesystem::create_directories(folder);
  // Tests run side by side: the first makes the files while the others wait.
  const common::UniqueFd lock(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.valid() || ::flock(lock.get(), LOCK_EX) != 0) {
    throw std::system_error(errno, std::generic_category(), folder.string());
  }
  const auto script_time =
      std::max(std::filesystem::last_write_time(kScript), std::filesystem::last_write_time(kImported));
  const auto mark_of = [&](const std::string& name) { return folder / (name + ".made"); };
  std::vector<std::string> arguments{folder.string()};
  for (const auto& name : names) {
    std::error_code absent;
    const auto made = std::filesystem::last_write_time(mark_of(name), absent);
    if (absent || made < script_time) arguments.push_back(name);
  }
  if (arguments.size() == 1) return folder;
  (void)run_script(kScript, arguments);
  for (std::size_t i = 1; i < arguments.size(); ++i) std::ofstream(mark_of(arguments[i]), std::ios::trunc) << "made\n";
  return folder;
}

void make_torchscript(const std::filesystem::path& folder, const std::string& name) {
  (void)run_script(kScript, {folder.string(), name});
}

double largest_difference(const std::filesystem::path& a, const std::filesystem::path& b) {
  return std::stod(run_script(kDifferenceScript, {a.string(), b.string()}));
}

}  // namespace yolod::tests
