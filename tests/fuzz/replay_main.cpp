// Runs a fuzz target on files instead of under libFuzzer, so that every build tests what the fuzzers once found.
//
//   fuzz_PROGRAM TARGET [--two-threads] FILE-OR-FOLDER...
//
// With --two-threads a second thread runs the same files at the same time, from the last to the first, so that
// ThreadSanitizer sees the data that they share.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/fuzz/fuzz_target.hpp"

namespace yolod::fuzz {
namespace {

std::map<std::string_view, Target>& targets() {
  static std::map<std::string_view, Target> known;
  return known;
}

}  // namespace

bool add_target(const char* name, Target target) { return targets().emplace(name, target).second; }

}  // namespace yolod::fuzz

namespace {

using Files = std::vector<std::filesystem::path>;

void replay(yolod::fuzz::Target target, const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    std::fprintf(stderr, "%s cannot be read\n", file.c_str());
    std::exit(2);
  }
  const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  target(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

// The program prints each name before it runs the file, so the last name is the file that crashed it.
void replay_all(yolod::fuzz::Target target, const Files& files) {
  for (const auto& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    replay(target, file);
  }
}

void add(Files& files, const std::filesystem::path& given) {
  if (!std::filesystem::is_directory(given)) {
    files.push_back(given);
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(given)) files.push_back(entry.path());
}

}  // namespace

int main(int argc, char** argv) {
  const auto& targets = yolod::fuzz::targets();
  const auto found = argc > 1 ? targets.find(argv[1]) : targets.end();
  if (found == targets.end()) {
    std::fprintf(stderr, "the first argument must be the name of a target of this program\n");
    return 2;
  }
  const auto target = found->second;
  const bool two_threads = argc > 2 && std::string_view(argv[2]) == "--two-threads";
  Files files;
  for (int i = two_threads ? 3 : 2; i < argc; ++i) add(files, argv[i]);
  std::thread second;
  if (two_threads) {
    second = std::thread([target, &files] {
      std::for_each(files.rbegin(), files.rend(), [target](const auto& file) { replay(target, file); });
    });
  }
  replay_all(target, files);
  if (second.joinable()) second.join();
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
