#include "model/torch/torch_runtime.hpp"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <algorithm>
#include <string_view>

#include "common/text.hpp"
#if defined(YOLOD_WITH_ONEDNN)
#include "model/torch/onednn/engine.hpp"
#endif
#include "model/torch/thread_counts.hpp"

namespace torch::jit {
namespace {

// The flag's namespace depends on how LibTorch was built.
void keep_types() { FLAGS_torch_jit_enable_rethrow_caught_exception = true; }

}  // namespace
}  // namespace torch::jit

namespace yolod::model {

at::ScalarType scalar_type(common::Precision precision) {
  switch (precision) {
    case common::Precision::kBf16: return at::kBFloat16;
    case common::Precision::kFp16: return at::kHalf;
    case common::Precision::kAuto:
    case common::Precision::kFp32: return at::kFloat;
  }
  return at::kFloat;
}

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  const std::string_view text(error.what());
  const auto says = [&text](std::string_view words) { return text.find(words) != std::string_view::npos; };
  return says("CUDA out of memory") || says("out of memory") || says("_ALLOC_FAILED");
}

void keep_exception_types() { torch::jit::keep_types(); }

std::string first_line(const char* what) {
  std::string_view text(what);
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  // LibTorch's text begins with the place of the check: "[enforce fail at inline_container.cc:165] . Attempted ..."
  constexpr std::string_view kPlaceEnd = "] . ";
  if (const auto end = text.find(kPlaceEnd); text.starts_with("[enforce fail at") && end != std::string_view::npos) {
    text.remove_prefix(end + kPlaceEnd.size());
  }
  return common::printable(text.substr(0, text.find('\n')), 300);
}

std::string reason_of(const std::exception& error) {
  const auto* const torch_error = dynamic_cast<const c10::Error*>(&error);
  return first_line(torch_error != nullptr ? torch_error->what_without_backtrace() : error.what());
}

std::uint32_t thread_count() { return static_cast<std::uint32_t>(at::get_num_threads()); }

void set_thread_counts(std::uint32_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  // No graph of yolod forks. A process can set this number only once, before its pool is first used.
  static const bool interop_set = [] {
    try {
      at::set_num_interop_threads(1);
    } catch (const c10::Error&) {
      return false;
    }
    return true;
  }();
  (void)interop_set;
}

void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work) {
  at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&work](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) work(static_cast<std::size_t>(i));
  });
}

void prepare_for_threads([[maybe_unused]] std::uint32_t threads) {
#if defined(YOLOD_WITH_ONEDNN)
  onednn::prepare_also_for(static_cast<int>(threads));
#endif
}

}  // namespace yolod::model
