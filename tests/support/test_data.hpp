// Tests use these networks, photos and reference answers where they exist. They are not part of the project.
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace yolod::tests {

// Returns YOLOD_TEST_DATA, or else ../shared/data beside the checkout. Returns nothing if there is none.
[[nodiscard]] std::optional<std::filesystem::path> test_data();

// Returns cases/ beside that folder, with small files that once triggered a fault. Returns nothing if there is none.
[[nodiscard]] std::optional<std::filesystem::path> fault_cases();

// Returns the checkout that these tests belong to.
[[nodiscard]] std::filesystem::path source_directory();

// Returns why a test of a network that the test writes, or that the project ships, cannot run here: this build has no
// LibTorch. Returns an empty string if it can run, and then it also calls use_networks().
[[nodiscard]] std::string reason_to_skip_networks();

// Returns the path of a file of the network that the project ships. It also calls use_networks().
[[nodiscard]] std::string demo_file(const std::string& name);

// Lets Server start workers with LibTorch from now on, in builds that have it.
void use_networks();
[[nodiscard]] bool networks_are_used();

// Returns why a test of a real network cannot run here: the build has no LibTorch, or there is no data. Returns an
// empty string if it can run.
[[nodiscard]] std::string reason_to_skip_real_models();

// Returns whether this processor supports bf16. Without support a network in bf16 may not run.
[[nodiscard]] bool processor_has_bf16();

// Returns the JSON in that file. Throws if there is none.
[[nodiscard]] boost::json::value read_json(const std::filesystem::path& file);

}  // namespace yolod::tests
