#include "model/compiled/export_torchscript.hpp"

#include <torch/csrc/jit/serialization/export.h>

#include <exception>
#include <new>
#include <utility>

#include "common/system/unfinished_file.hpp"
#include "model/bad_model.hpp"
#include "model/compiled/torch_module.hpp"
#include "model/torch/torch_runtime.hpp"

namespace yolod::model {
using common::Outcome;

Outcome<void> export_torchscript(CompiledNetwork compiled, const std::map<std::string, std::string>& extra_files,
                                 const std::filesystem::path& file) {
  try {
    const auto module = define_module(std::move(compiled), common::Precision::kFp32);
    common::UnfinishedFile unfinished(file);
    // Do not report a failure to LibTorch: if its writer throws while it writes a file, the writer's destructor
    // throws again.
    const auto write = [&unfinished](const void* bytes, std::size_t count) {
      unfinished.write(bytes, count);
      return count;
    };
    if (!unfinished.failed())
      torch::jit::ExportModule(module, write, torch::jit::ExtraFilesMap(extra_files.begin(), extra_files.end()));
    return unfinished.finish();
  } catch (const std::bad_alloc&) {
    return bad_model("no memory for the network");
  } catch (const std::exception& error) {
    return bad_model("LibTorch cannot write the network: " + reason_of(error));
  }
}

}  // namespace yolod::model
