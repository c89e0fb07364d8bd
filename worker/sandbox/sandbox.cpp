#include "worker/sandbox/sandbox.hpp"

#include <link.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "common/config/devices.hpp"
#include "common/fault_point.hpp"

#include "ipc/layout.hpp"
#include "model/sources/model_files.hpp"
#include "worker/sandbox/denied_call.hpp"
#include "worker/sandbox/filter.hpp"

namespace yolod::worker {
namespace {

using common::Error;
using common::ErrorCode;
using common::FileRule;
using common::FileUse;
using common::Outcome;
using common::SandboxMode;

#if defined(YOLOD_WITH_CUDA)
constexpr bool kBuiltWithCuda = true;
#else
constexpr bool kBuiltWithCuda = false;
#endif

// Returns the folders of the libraries that are loaded. Libraries that are opened later lie in the same folders.
std::set<std::filesystem::path> library_folders() {
  std::set<std::filesystem::path> folders;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t /*size*/, void* found) {
        const std::filesystem::path file(info->dlpi_name);
        if (file.is_absolute() && file.parent_path() != file.root_path()) {
          static_cast<std::set<std::filesystem::path>*>(found)->insert(file.parent_path());
        }
        return 0;
      },
      &folders);
  return folders;
}

std::filesystem::path program_folder() {
  std::error_code failure;
  return std::filesystem::read_symlink("/proc/self/exe", failure).parent_path();
}

std::vector<FileRule> rules_of_load(const common::ModelConfig& config) {
  std::vector<FileRule> rules;
  for (const char* const path : {"/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/proc", "/sys", "/dev/urandom"}) {
    rules.push_back({path, FileUse::kRead});
  }
  rules.push_back({"/dev/null", FileUse::kReadAndWrite});
  for (const auto& folder : library_folders()) rules.push_back({folder, FileUse::kRead});
  for (auto& file : model::files_of(config)) rules.push_back({std::move(file), FileUse::kRead});
  // A sanitizer reads the program for its reports, and gcov writes beside the object files.
  if (kInstrumented) rules.push_back({program_folder(), FileUse::kChange});
  return rules;
}

}  // namespace

Sandbox::Sandbox(const common::ModelConfig& config) : on_gpu_(common::may_use_cuda(config, kBuiltWithCuda)) {
  state_.mode = config.sandbox;
  if (!seals()) return;
  rules_of_load_ = rules_of_load(config);
  if (const auto folder = common::fault_token_folder()) rules_of_tests_.push_back({*folder, FileUse::kChange});
  rules_of_load_.insert(rules_of_load_.end(), rules_of_tests_.begin(), rules_of_tests_.end());
}

bool Sandbox::seals() const { return state_.mode != SandboxMode::kOff && !on_gpu_; }

Outcome<void> Sandbox::lacks(const Error& part) {
  if (state_.mode == SandboxMode::kRequired) {
    return Error{ErrorCode::kBadModel, "sandbox: required, but a part is not available: " + part.message};
  }
  state_.missing += (state_.missing.empty() ? "" : "; ") + part.message;
  return {};
}

Outcome<void> Sandbox::restrict_files(const std::vector<FileRule>& rules) {
  const auto abi = restrict_by_landlock(rules);
  if (!abi) return lacks(abi.error());
  state_.landlock_abi = *abi;
  return {};
}

Outcome<void> Sandbox::before_load() {
  if (state_.mode == SandboxMode::kOff) return {};
  if (on_gpu_) return lacks({ErrorCode::kSystem, "a model that may run on a GPU is not sealed"});
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return lacks(common::last_system_error("PR_SET_NO_NEW_PRIVS"));
  if (auto applied = apply_load_filter(); !applied) {
    if (auto goes_on = lacks(applied.error()); !goes_on) return goes_on;
  }
  return restrict_files(rules_of_load_);
}

Outcome<void> Sandbox::seal_loader(int control) { return seal(Kind::kLoader, control, ipc::kLoaderLaunchId); }

Outcome<void> Sandbox::seal_worker(int control, std::uint64_t launch_id) {
  return seal(Kind::kWorker, control, launch_id);
}

Outcome<void> Sandbox::seal(Kind kind, int control, std::uint64_t launch_id) {
  if (!seals()) return {};
  state_.missing.clear();  // the steps below note the missing parts again
  // The process writes no file any more: standard error is a pipe, and shared memory already has its size. A forked
  // worker has its loader's limit and may not set its own.
  rlimit file_size{};
  if (!kInstrumented && getrlimit(RLIMIT_FSIZE, &file_size) == 0 && file_size.rlim_cur != 0) {  // gcov writes files
    file_size = {0, 0};
    setrlimit(RLIMIT_FSIZE, &file_size);
  }
  if (auto done = restrict_files(kInstrumented ? rules_of_load_ : rules_of_tests_); !done) return done;
  if (auto caught = catch_denied_calls({control, launch_id, state_.mode == SandboxMode::kReport}); !caught) {
    return lacks(caught.error());
  }
  FilterSettings settings;
  settings.kind = kind == Kind::kLoader ? FilterKind::kLoader : FilterKind::kWorker;
  settings.own_pid = getpid();
  settings.front_end = getppid();
  settings.for_fault_points = !rules_of_tests_.empty();
  if (auto applied = apply_filter(settings); !applied) return lacks(applied.error());
  state_.seccomp = true;
  return {};
}

}  // namespace yolod::worker
