#include "app/process/child_spec.hpp"

#include <csignal>

#include "app/accounts/protocol/settings.hpp"
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

constexpr std::string_view kAccountsProgram = "yolod-accounts";
constexpr std::array<DescriptorPlace, 2> kAccountsDescriptors{
    {{&Inherited::control, ipc::kControlDescriptor}, {&Inherited::config, ipc::kConfigDescriptor}}};
static_assert(accounts::protocol::kSocketDescriptor == ipc::kControlDescriptor);
static_assert(accounts::protocol::kSettingsDescriptor == ipc::kConfigDescriptor);
// The process holds passwords, so it writes no core dump. It gets fewer variables than a process that computes: each
// PG... variable would change how it connects to the database.
constexpr ChildLimits kAccountsLimits{.given_open_files = true, .core_dumps = false};
constexpr std::array<std::string_view, 13> kVariablesOfAccounts{"LANG",
                                                                "LC_",
                                                                "TZ",
                                                                "LD_LIBRARY_PATH",
                                                                "MALLOC_",
                                                                "GLIBC_TUNABLES",
                                                                "ASAN_OPTIONS",
                                                                "LSAN_OPTIONS",
                                                                "TSAN_OPTIONS",
                                                                "UBSAN_OPTIONS",
                                                                "GCOV_",
                                                                "YOLOD_FAULT_POINT",
                                                                "YOLOD_FAULT_TOKEN"};

constexpr std::array<ChildSpec, 4> kChildSpecs{{
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
    {ChildKind::kAccounts,
     kAccountsProgram,
     {},
     kAccountsDescriptors,
     kAccountsLimits,
     kInterrupt,
     kVariablesOfAccounts,
     false,
     classify_accounts},
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
