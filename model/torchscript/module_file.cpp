#include "model/torchscript/module_file.hpp"

#include <sys/resource.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <set>
#include <system_error>
#include <utility>

#if defined(YOLOD_WITH_ONEDNN)
#include "model/torch/onednn/fuse.hpp"
#endif
#include "model/bad_model.hpp"
#include "model/rules/script_metadata.hpp"
#include "model/sources/file_kind.hpp"
#include "model/torch/torch_runtime.hpp"

namespace yolod::model::torchscript {
namespace {

using common::Outcome;

// Limits the process's address space during its lifetime, so that a wrong size in a damaged file throws an exception
// instead of exhausting the machine's memory.
class MemoryCeiling {
 public:
  explicit MemoryCeiling(std::uint64_t more_bytes) {
    if (::getrlimit(RLIMIT_AS, &before_) != 0) return;
    rlimit lowered = before_;
    lowered.rlim_cur = std::min<rlim_t>(before_.rlim_cur, mapped_bytes() + more_bytes);
    set_ = ::setrlimit(RLIMIT_AS, &lowered) == 0;
  }
  MemoryCeiling(const MemoryCeiling&) = delete;
  MemoryCeiling& operator=(const MemoryCeiling&) = delete;
  ~MemoryCeiling() {
    if (set_) ::setrlimit(RLIMIT_AS, &before_);
  }

 private:
  static rlim_t mapped_bytes() {
    unsigned long long pages = 0;
    if (std::FILE* statm = std::fopen("/proc/self/statm", "re")) {
      if (std::fscanf(statm, "%llu", &pages) != 1) pages = 0;
      std::fclose(statm);
    }
    return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
  }

  rlimit before_{};
  bool set_{false};
};

// stdout is for a program's results, mainly JSON, and by default LibTorch prints there the output of a module's code.
void print_to_stderr(const std::string& text) { std::fputs(text.c_str(), stderr); }

// For a moment the file's parameters exist twice, in both precisions. The rest is LibTorch's own memory: its
// registrations at first use, and the code.
constexpr std::uint64_t kOwnBytes = std::uint64_t{1} << 30U;
std::uint64_t justified_bytes(std::uint64_t file_bytes) { return 4 * file_bytes + kOwnBytes; }

// The limit is removed before LibTorch starts its threads, because each of them takes much address space.
torch::jit::Module load_below_ceiling(const std::filesystem::path& file, std::uint64_t file_bytes,
                                      torch::jit::ExtraFilesMap& extra_files) {
  const MemoryCeiling ceiling(justified_bytes(file_bytes));
  return torch::jit::load(file.string(), at::Device(at::kCPU), extra_files);
}

void count(const at::Tensor& tensor, ModuleFacts& facts) {
  if (!tensor.is_floating_point()) return;
  facts.parameters += tensor.numel();
  switch (tensor.scalar_type()) {
    case at::kFloat: facts.precisions.insert("fp32"); break;
    case at::kHalf: facts.precisions.insert("fp16"); break;
    case at::kBFloat16: facts.precisions.insert("bf16"); break;
    case at::kDouble: facts.precisions.insert("fp64"); break;
    default: break;
  }
}

// Processes the constants in a module's code: it counts tensors and moves them to `device`, and replaces device
// constants by `device`, because a trace contains its own device wherever it creates a tensor.
class Constants {
 public:
  Constants(ModuleFacts& facts, c10::Device device) : facts_(facts), device_(device), device_name_(device.str()) {}

  void visit(const torch::jit::Module& module) {
    for (const auto& submodule : module.modules()) {
      for (const auto& method : submodule.get_methods()) {
        const auto graph = method.graph();
        if (seen_.insert(graph.get()).second) visit(graph->block());
      }
    }
  }

 private:
  void visit(torch::jit::Block* block) {
    for (torch::jit::Node* node : block->nodes()) {
      for (torch::jit::Block* inner : node->blocks()) visit(inner);
      if (node->kind() != c10::prim::Constant || !node->hasAttribute(c10::attr::value)) continue;
      // A tensor without dimensions is a number of the trace.
      if (node->kindOf(c10::attr::value) == torch::jit::AttributeKind::t) {
        const auto& tensor = node->t(c10::attr::value);
        if (tensor.dim() == 0) continue;
        count(tensor, facts_);
        if (tensor.device() != device_) node->t_(c10::attr::value, tensor.to(device_));
        continue;
      }
      if (node->output()->type()->kind() != c10::TypeKind::DeviceObjType) continue;
      if (node->s(c10::attr::value) != "cpu") facts_.traced_on = node->s(c10::attr::value);
      node->s_(c10::attr::value, device_name_);
    }
  }

  ModuleFacts& facts_;
  c10::Device device_;
  std::string device_name_;
  std::set<const torch::jit::Graph*> seen_;  // modules of the same class share their graphs
};

ModuleFacts move_to(c10::Device device, torch::jit::Module& module) {
  ModuleFacts facts;
  for (const at::Tensor& tensor : module.parameters()) count(tensor, facts);
  for (const at::Tensor& tensor : module.buffers()) count(tensor, facts);
  Constants(facts, device).visit(module);
  module.to(device);
  return facts;
}

void convert(const at::Tensor& tensor, at::ScalarType type) {
  if (tensor.is_floating_point() && tensor.scalar_type() != type) tensor.set_data(tensor.to(type));
}

// Module::to() would also convert integers, which are indices or counts.
void convert(const torch::jit::Module& module, at::ScalarType type) {
  const torch::NoGradGuard no_gradients;
  for (const at::Tensor& tensor : module.parameters()) convert(tensor, type);
  for (const at::Tensor& tensor : module.buffers()) convert(tensor, type);
}

}  // namespace

Outcome<LoadedModule> read_module_file(const std::filesystem::path& file, common::Precision precision,
                                       c10::Device device) {
  const auto refuse = [&](const std::string& why) { return bad_model(file.string() + ": " + why); };
  if (auto good = check_kind(file, Wanted::kTorchScript); !good) return good.error();
  std::error_code status;
  const auto type = std::filesystem::status(file, status).type();
  if (type == std::filesystem::file_type::not_found) return refuse("no such file");
  const auto bytes = status ? 0 : std::filesystem::file_size(file, status);
  if (status) return refuse(type == std::filesystem::file_type::regular ? status.message() : "not a regular file");
  torch::jit::setPrintHandler(print_to_stderr);
  try {
    torch::jit::ExtraFilesMap extra_files{{std::string(kMetadataFile), ""}};
    LoadedModule loaded{load_below_ceiling(file, bytes, extra_files), {}, {}};
    loaded.metadata = std::move(extra_files[std::string(kMetadataFile)]);
    if (!loaded.module.find_method("forward")) return refuse("its module has no forward()");
    loaded.module.eval();
    loaded.facts = move_to(device, loaded.module);
    convert(loaded.module, scalar_type(precision));
    return loaded;
  } catch (const std::bad_alloc&) {
    return refuse("no memory to load it");
  } catch (const std::exception& error) {
    return refuse("LibTorch cannot load it: " + reason_of(error));
  }
}

std::optional<torch::jit::Module> fuse_if_possible([[maybe_unused]] const torch::jit::Module& frozen) {
#if defined(YOLOD_WITH_ONEDNN)
  try {
    auto fused = frozen.clone();
    onednn::fuse(fused, false);  // a sum may be with a tensor of any shape
    return fused;
  } catch (const std::exception&) {
    return std::nullopt;
  }
#else
  return std::nullopt;
#endif
}

std::optional<torch::jit::Module> freeze_if_possible(const torch::jit::Module& module) {
  // The optimizer is off while yolod runs modules, but without it freezing leaves calls of removed submodules.
  const torch::jit::GraphOptimizerEnabledGuard with_optimizer(true);
  try {
    return torch::jit::freeze(module);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace yolod::model::torchscript
