#include "tests/support/test_data.hpp"

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {
namespace {

bool uses_networks = false;

}  // namespace

std::optional<std::filesystem::path> test_data() {
  const char* named = std::getenv("YOLOD_TEST_DATA");
  const std::filesystem::path folder = named != nullptr ? named : YOLOD_TEST_SOURCE_DIR "/../shared/data";
  std::error_code error;
  const auto whole = std::filesystem::canonical(folder, error);
  if (error || !std::filesystem::is_directory(whole / "darknet")) return std::nullopt;
  return whole;
}

std::optional<std::filesystem::path> fault_cases() {
  const auto data = test_data();
  if (!data || !std::filesystem::is_directory(data->parent_path() / "cases")) return std::nullopt;
  return data->parent_path() / "cases";
}

std::filesystem::path source_directory() { return YOLOD_TEST_SOURCE_DIR; }

std::string reason_to_skip_networks() {
  if (!YOLOD_TEST_WITH_TORCH) return "this build has no LibTorch";
  use_networks();
  return {};
}

std::string demo_file(const std::string& name) {
  use_networks();
  return (source_directory() / "model/data" / name).string();
}

void use_networks() { uses_networks = true; }

bool networks_are_used() { return uses_networks; }

std::string reason_to_skip_real_models() {
  if (auto reason = reason_to_skip_networks(); !reason.empty()) return reason;
  if (!test_data()) return "no test data: set YOLOD_TEST_DATA";
  return {};
}

bool processor_has_bf16() {
  std::ifstream stream("/proc/cpuinfo");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return text.find("avx512_bf16") != std::string::npos;
}

boost::json::value read_json(const std::filesystem::path& file) { return boost::json::parse(read_file(file)); }

}  // namespace yolod::tests
