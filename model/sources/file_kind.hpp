// What a file is that somebody hands over as a part of a model: people name checkpoints, ONNX files, pages of error
// text and half downloads, and the readers would only say where their own format breaks. docs/models.md lists the
// answers, and tests/unit/model/sources/file_kind_test.cpp holds it to them.
#pragma once

#include <filesystem>
#include <string>

#include "common/outcome.hpp"

namespace yolod::model {

// What the file was named as.
enum class Wanted { kTorchScript, kWeights, kCfg, kNames };

// Refuses a file that is certainly no such thing, with one sentence that says what it is and what to do. Passes a file
// that may be one, and one that cannot be read: the reader says why. Looks at the first bytes, and at the table of
// contents of a zip file; of a PyTorch checkpoint at its pickle. Any bytes are safe. An Error is kBadModel,
// `file: what it is: what to do`.
[[nodiscard]] common::Outcome<void> check_kind(const std::filesystem::path& file, Wanted wanted);

}  // namespace yolod::model
