// Reads a TorchScript file into LibTorch. Includes torch headers: for the two sources beside it.
//
// LibTorch crashes on some damaged files, and no check of ours keeps it from that: so a file is only ever read in a
// process that may die of it, a worker or the child that yolodctl makes for it (tools/yolodctl/model/trial.hpp).
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
  std::string metadata;  // rules/script_metadata.hpp; empty where there is none
  ModuleFacts facts;     // of the file, whatever became of it here
};

// On `device`, whatever it was traced on; in eval mode; its floating-point parameters in `precision`. While it is read
// the process may grow by no more than a few times the file's size. Errors are kBadModel, and one line: not
// a TorchScript file, a version or an operator that this LibTorch does not know, no memory.
[[nodiscard]] common::Outcome<LoadedModule> read_module_file(const std::filesystem::path& file,
                                                             common::Precision precision, c10::Device device);

// A frozen module's convolutions by oneDNN itself (onednn/fuse.hpp), where that can be done. Whoever runs it compares
// its output with that of what was read.
[[nodiscard]] std::optional<torch::jit::Module> fuse_if_possible(const torch::jit::Module& frozen);

// Frozen, if LibTorch can do that to it.
[[nodiscard]] std::optional<torch::jit::Module> freeze_if_possible(const torch::jit::Module& module);

}  // namespace yolod::model::torchscript
