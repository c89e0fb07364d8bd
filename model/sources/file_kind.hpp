// Identifies a file that a user gives as a part of a model. Users give checkpoints, ONNX files, error pages and
// incomplete downloads instead of the right file. A reader of the right format would only report the place where the
// file breaks its format. docs/models.md lists the answers, and tests/unit/model/sources/file_kind_test.cpp checks
// the list.
#pragma once

#include <filesystem>
#include <string>

#include "common/outcome.hpp"

namespace yolod::model {

// The part of a model for which the user gave the file.
enum class Wanted { kTorchScript, kWeights, kCfg, kNames };

// Refuses a file that is certainly of another kind, with one sentence that names the kind and tells the user what to
// do. It passes a file that may be of the right kind, and an unreadable file, because the reader reports the reason.
// It reads the first bytes, the directory of a zip file, and the pickle of a PyTorch checkpoint. Any bytes are safe.
// An Error has code kBadModel and the form `file: what it is: what to do`.
[[nodiscard]] common::Outcome<void> check_kind(const std::filesystem::path& file, Wanted wanted);

}  // namespace yolod::model
