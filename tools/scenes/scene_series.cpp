#include "tools/scenes/scene_series.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "common/text.hpp"
#include "tools/scenes/scene_files.hpp"

namespace yolod::scenes {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

class SeriesWriter {
 public:
  SeriesWriter(const SceneSeries& series, const std::filesystem::path& folder,
               const std::function<void(std::size_t)>& on_written)
      : series_(series), folder_(folder), on_written_(on_written) {}

  // The loop of each thread.
  void work() {
    while (const auto* member = next()) {
      std::optional<Scene> scene;
      const auto written = draw_and_write(*member, scene);
      const std::lock_guard lock(mutex_);
      if (!written) {
        if (!failed_) failed_ = written.error();
        return;
      }
      shares_.add(*scene);
      on_written_(shares_.scenes());
    }
  }

  // REQUIRES: all threads have ended.
  Outcome<SceneShares> result() {
    if (failed_) return *failed_;
    return shares_;
  }

 private:
  const SceneSeries::Member* next() {
    const std::lock_guard lock(mutex_);
    return failed_ || next_ == series_.members.size() ? nullptr : &series_.members[next_++];
  }

  Outcome<void> draw_and_write(const SceneSeries::Member& member, std::optional<Scene>& scene) const {
    try {
      scene = draw_scene(series_.seed, member.index, series_.options);
      return write_scene(*scene, folder_, member.name);
    } catch (const std::exception& error) {
      return Error{ErrorCode::kInternal, member.name + ": " + common::printable(error.what(), 300)};
    }
  }

  const SceneSeries& series_;
  const std::filesystem::path& folder_;
  const std::function<void(std::size_t)>& on_written_;
  std::mutex mutex_;
  // mutex_ guards these members.
  std::size_t next_{0};
  SceneShares shares_;
  std::optional<Error> failed_;
};

}  // namespace

Outcome<SceneShares> write_scenes(const SceneSeries& series, const std::filesystem::path& folder, std::size_t threads,
                                  const std::function<void(std::size_t)>& on_written) {
  SeriesWriter writer(series, folder, on_written);
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(threads, series.members.size()); ++i)
      others.emplace_back([&writer] { writer.work(); });
    writer.work();
  }
  return writer.result();
}

}  // namespace yolod::scenes
