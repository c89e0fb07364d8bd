// Runs a fuzz target on files instead of under libFuzzer, so that every build tests what the fuzzers once found.
//
//   fuzz_NAME [--two-threads] FILE-OR-FOLDER...
//
// With --two-threads a second thread runs the same files at the same time, from the last to the first, so that
// ThreadSanitizer sees the data that they share.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Files = std::vector<std::filesystem::path>;

void replay(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

// The program prints each name before it runs the file, so the last name is the file that crashed it.
void replay_all(const Files& files) {
  for (const auto& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    replay(file);
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
  const bool two_threads = argc > 1 && std::string_view(argv[1]) == "--two-threads";
  Files files;
  for (int i = two_threads ? 2 : 1; i < argc; ++i) add(files, argv[i]);
  std::thread second;
  if (two_threads) second = std::thread([&files] { std::for_each(files.rbegin(), files.rend(), replay); });
  replay_all(files);
  if (second.joinable()) second.join();
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
