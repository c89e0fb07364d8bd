// Writes a CompiledNetwork as a plain TorchScript file for other programs. It includes no torch header.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "common/outcome.hpp"
#include "model/compiled_network.hpp"

namespace yolod::model {

// Writes the network in float, not frozen, together with `extra_files` (name to content); torch.jit.load reads both.
// The function replaces `file` only when all is written; otherwise `file` stays unchanged and it returns kSystem, or
// kBadModel if LibTorch refuses the network.
[[nodiscard]] common::Outcome<void> export_torchscript(CompiledNetwork compiled,
                                                       const std::map<std::string, std::string>& extra_files,
                                                       const std::filesystem::path& file);

}  // namespace yolod::model
