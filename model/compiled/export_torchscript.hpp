// A CompiledNetwork as a file for other programs: plain TorchScript. No torch header here.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "common/outcome.hpp"
#include "model/compiled_network.hpp"

namespace yolod::model {

// Writes the network in float, not frozen, with `extra_files` (name to content) in the archive beside it;
// torch.jit.load reads both. `file` is replaced when all is written, and left alone where that fails: kSystem, or
// kBadModel where LibTorch refuses the network.
[[nodiscard]] common::Outcome<void> export_torchscript(CompiledNetwork compiled,
                                                       const std::map<std::string, std::string>& extra_files,
                                                       const std::filesystem::path& file);

}  // namespace yolod::model
