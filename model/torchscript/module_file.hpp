// Reads a TorchScript file into LibTorch. Only the two source files beside it include this header, because it
// includes torch headers.
//
// LibTorch crashes on some damaged files, and no check can prevent that. Therefore a file may be read only in a
// process that is allowed to die: a worker, or the child process of yolodctl (tools/yolodctl/model/load_guard.hpp).
#pragma once

#include <torch/script.h>

#include <filesystem>
#include <optional>
#include <string>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/torchscript/module_facts.hpp"

namespace yolod::model::torchscript {

struct LoadedModule {
  torch::jit::Module module;
  std::string metadata;  // rules/script_metadata.hpp; empty if there is none
  ModuleFacts facts;     // of the unchanged file
};

// Loads the file on `device`, wherever it was traced, in evaluation mode, with floating-point parameters in
// `precision`. Meanwhile the process may grow by at most a few times the file's size. Errors have code kBadModel and
// one line: not a TorchScript file, an unknown version or operator, not enough memory.
[[nodiscard]] common::Outcome<LoadedModule> read_module_file(const std::filesystem::path& file,
                                                             common::Precision precision, c10::Device device);

// Replaces a frozen module's convolutions by oneDNN's (onednn/fuse.hpp), if that is possible. The caller must
// compare its output with that of the original module.
[[nodiscard]] std::optional<torch::jit::Module> fuse_if_possible(const torch::jit::Module& frozen);

// Returns the frozen module, if LibTorch can freeze it.
[[nodiscard]] std::optional<torch::jit::Module> freeze_if_possible(const torch::jit::Module& module);

}  // namespace yolod::model::torchscript
