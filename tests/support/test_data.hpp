// The networks, photos and reference answers that tests use where they are at hand; they are not part of the project.
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace yolod::tests {

// YOLOD_TEST_DATA, else ../shared/data beside the checkout; nothing where there is none.
[[nodiscard]] std::optional<std::filesystem::path> test_data();

// The small files that once showed a fault: cases/ beside that folder; nothing where there is none.
[[nodiscard]] std::optional<std::filesystem::path> fault_cases();

// The checkout that these tests are of.
[[nodiscard]] std::filesystem::path source_directory();

// Why a test of a network whose files the test writes, or that the project ships, cannot run here: this build has no
// LibTorch. Empty: it can.
[[nodiscard]] std::string reason_to_skip_networks();

// Why a test of a real network cannot run here: no LibTorch in this build, or no data. Empty: it can.
[[nodiscard]] std::string reason_to_skip_real_models();

// Whether bf16 is this processor's own: without it a network in bf16 may not run.
[[nodiscard]] bool processor_has_bf16();

// The JSON in that file. Throws where there is none.
[[nodiscard]] boost::json::value read_json(const std::filesystem::path& file);

}  // namespace yolod::tests
