#include "model/torch_runtime.hpp"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <string_view>

#include "common/text.hpp"
#if defined(YOLOD_WITH_ONEDNN)
#include "model/onednn/engine.hpp"
#endif
#include "model/thread_counts.hpp"

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

std::string first_line(const char* what) {
  std::string_view text(what);
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  // Where in LibTorch a check stands: "[enforce fail at inline_container.cc:165] . Attempted ..."
  constexpr std::string_view kPlaceEnd = "] . ";
  if (const auto end = text.find(kPlaceEnd); text.starts_with("[enforce fail at") && end != std::string_view::npos) {
    text.remove_prefix(end + kPlaceEnd.size());
  }
  return common::printable(text.substr(0, text.find('\n')), 300);
}

void set_thread_counts(std::uint32_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  // Nothing of ours forks inside a graph. The count can be set once in a process, before its pool is first used.
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
