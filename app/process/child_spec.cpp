#include "app/process/child_spec.hpp"

#include <csignal>

#include "ipc/layout.hpp"

namespace yolod::app::process {
namespace {

constexpr std::string_view kWorkerProgram = "yolod-worker";

constexpr std::array<std::string_view, 1> kLoaderArguments{ipc::kLoaderArgument};
constexpr std::array<std::string_view, 2> kBackgroundArguments{ipc::kLoaderArgument, ipc::kBackgroundArgument};

using Inherited = InheritedDescriptors;
constexpr std::array<DescriptorPlace, 5> kWorkerDescriptors{{{&Inherited::control, ipc::kControlDescriptor},
                                                             {&Inherited::lane, ipc::kLaneDescriptor},
                                                             {&Inherited::arena, ipc::kArenaDescriptor},
                                                             {&Inherited::doorbell, ipc::kDoorbellDescriptor},
                                                             {&Inherited::config, ipc::kConfigDescriptor}}};
// A loader has neither a lane nor a doorbell. The front-end sends both to it with each request to fork a worker.
constexpr std::array<DescriptorPlace, 3> kLoaderDescriptors{{{&Inherited::control, ipc::kControlDescriptor},
                                                             {&Inherited::arena, ipc::kArenaDescriptor},
                                                             {&Inherited::config, ipc::kConfigDescriptor}}};
static_assert(kWorkerDescriptors.size() <= ChildSpec::kMostDescriptors);

// SIGINT stays blocked until the model is loaded (worker/load.hpp).
constexpr std::array<int, 1> kInterrupt{SIGINT};

// The child gets the variables that tell libraries how to find each other, how to compute and how to wait. The child
// gets no other variables, because the environment of a service may hold secrets.
constexpr std::array<std::string_view, 31> kVariablesOfLibraries{"PATH",
                                                                 "HOME",
                                                                 "LANG",
                                                                 "LC_",
                                                                 "TZ",
                                                                 "LD_LIBRARY_PATH",
                                                                 "LD_PRELOAD",
                                                                 "MALLOC_",
                                                                 "GLIBC_TUNABLES",
                                                                 "OMP_",
                                                                 "GOMP_",
                                                                 "OPENBLAS_",
                                                                 "MKL_",
                                                                 "KMP_",
                                                                 "BLIS_",
                                                                 "DNNL_",
                                                                 "ONEDNN_",
                                                                 "ATEN_",
                                                                 "TORCH_",
                                                                 "PYTORCH_",
                                                                 "CUDA_",
                                                                 "CUDNN_",
                                                                 "CUBLAS_",
                                                                 "NVIDIA_",
                                                                 "ASAN_OPTIONS",
                                                                 "LSAN_OPTIONS",
                                                                 "TSAN_OPTIONS",
                                                                 "UBSAN_OPTIONS",
                                                                 "GCOV_",
                                                                 "YOLOD_FAULT_POINT",
                                                                 "YOLOD_FAULT_TOKEN"};

constexpr std::array<ChildSpec, 3> kChildSpecs{{
    {ChildKind::kWorker, kWorkerProgram, {}, kWorkerDescriptors, {}, kInterrupt, kVariablesOfLibraries, true, classify},
    {ChildKind::kLoader,
     kWorkerProgram,
     kLoaderArguments,
     kLoaderDescriptors,
     {},
     kInterrupt,
     kVariablesOfLibraries,
     true,
     classify},
    {ChildKind::kBackgroundLoader,
     kWorkerProgram,
     kBackgroundArguments,
     kLoaderDescriptors,
     {},
     kInterrupt,
     kVariablesOfLibraries,
     true,
     classify},
}};

constexpr bool each_is_at_its_place() {
  for (std::size_t i = 0; i < kChildSpecs.size(); ++i) {
    if (static_cast<std::size_t>(kChildSpecs[i].kind) != i) return false;
  }
  return true;
}
static_assert(each_is_at_its_place());

}  // namespace

const ChildSpec& spec_of(ChildKind kind) { return kChildSpecs.at(static_cast<std::size_t>(kind)); }

}  // namespace yolod::app::process
