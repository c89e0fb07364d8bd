#include "tools/train/run_files.hpp"

#include <system_error>
#include <utility>
#include <vector>

#include "common/system/unfinished_file.hpp"
#include "tools/train/report.hpp"

namespace yolod::train {

using common::Error;
using common::ErrorCode;
using common::Outcome;

std::filesystem::path run_file(const RunOptions& options, const char* extension) {
  return (options.folder / options.cfg.stem()).concat(std::string(".") + extension);
}

Outcome<void> write_text(const std::filesystem::path& file, const std::string& text) {
  common::UnfinishedFile unfinished(file);
  unfinished.write(text.data(), text.size());
  return unfinished.finish();
}

Outcome<void> prepare_folder(const RunOptions& options, const TrainingTask& task) {
  const auto checkpoint = run_file(options, "checkpoint");
  std::error_code failed;
  const bool begun = std::filesystem::exists(checkpoint, failed);
  if (begun && !options.resume) {
    return Error{
        ErrorCode::kBadConfig,
        checkpoint.string() + " exists: --resume goes on with it; remove it or name another --output to begin anew"};
  }
  if (!begun && options.resume)
    return Error{ErrorCode::kBadConfig, checkpoint.string() + ": no checkpoint there; run without --resume"};
  const auto cfg = run_file(options, "cfg");
  if (task.cfg_is_changed && std::filesystem::equivalent(cfg, options.cfg, failed)) {
    return Error{ErrorCode::kBadConfig, cfg.string() + ": the cfg with another number of classes would replace it; " +
                                            "name another folder with --output"};
  }
  std::filesystem::create_directories(options.folder, failed);
  if (failed) return common::system_error(options.folder.string(), failed.value());
  return {};
}

Outcome<void> write_companions(const RunOptions& options, const TrainingTask& task) {
  std::string names;
  for (const auto& name : task.names) names += name + "\n";
  std::string held_out;
  for (const auto& picture : task.held_out) held_out += picture.file.string() + "\n";
  const std::vector<std::pair<const char*, std::string>> files{{"cfg", task.cfg_text},
                                                               {"names", std::move(names)},
                                                               {"yaml", config_text(options.cfg.stem().string())},
                                                               {"held-out.txt", std::move(held_out)}};
  for (const auto& [extension, text] : files) {
    if (text.empty()) continue;
    if (auto written = write_text(run_file(options, extension), text); !written) return written;
  }
  return {};
}

}  // namespace yolod::train
