// ModelsFolder follows the folder server.models_dir. Each folder in it is a model with the folder's name. It has the
// model's files and an optional model.yaml, with the keys of one model of system.yaml; paths in it are relative to the
// folder. A folder with a config.pbtxt is a model as Triton has it (app/triton_model). A folder with neither is
// recognised by the content of its files, in steps, so that the event loop stays free.
//
//   a folder appears    the model is loaded
//   a folder changes    the model is loaded again, beside the serving generation
//   a folder vanishes   the model is unloaded
//
// A change counts when the folder has not changed any more for kSettleTime, so that a model is not loaded while its
// files are being copied. A model whose load fails is loaded again after the next change. The models of the folder are
// loaded one after another.
//
// The kernel sends changes by inotify. The folder is also scanned from time to time, because file systems of other
// machines report nothing.
//
// The front-end owns it. Only the thread of the front-end may call it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/first_run/model_file.hpp"
#include "common/config/config.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

// The class is large, because each of its functions is a step of one walk, which stops after every step.
class ModelsFolder {
 public:
  static constexpr std::chrono::milliseconds kSettleTime{300};
  static constexpr std::chrono::seconds kScanPeriod{10};

  using Done = std::function<void(const common::Outcome<void>&)>;
  struct Hooks {
    std::function<bool()> serves;  // returns whether models may be loaded now
    // Load or unload one model. `done` is called once, later. kNotReady means: try again.
    std::function<void(const std::string& model, Done done)> load;
    std::function<void(const std::string& model, Done done)> unload;
  };

  // `io` outlives this object.
  ModelsFolder(boost::asio::io_context& io, std::filesystem::path folder, Hooks hooks);
  ModelsFolder(const ModelsFolder&) = delete;
  ModelsFolder& operator=(const ModelsFolder&) = delete;

  // Begins to watch the folder. Returns kSystem if there is no such folder.
  [[nodiscard]] common::Outcome<void> start();
  // Looks at the folder again soon.
  void look_soon();

  // Reads the settings of all models for add_models(), one model in each turn of the event loop. Then it calls `then`
  // once. REQUIRES: an earlier call has ended.
  void read_models(std::function<void()> then);
  // Adds the models of the folder to a config that a reload has read. It leaves out a model that the config has itself,
  // and a model with a mistake, which it logs. It uses the settings that read_models() has read, once, and reads other
  // settings itself.
  void add_models(common::Config& config);

 private:
  // A number for each folder, which changes if one of its files changes.
  using Stamps = std::map<std::string, std::uint64_t>;
  struct Scan {
    std::vector<std::string> names;  // that remain
    Stamps stamps;
  };

  void watch(const std::filesystem::path& path);
  // Begins to watch the model's folder and the folders of its versions.
  void watch_model(const std::filesystem::path& folder);
  void await_events();
  void look_in(std::chrono::milliseconds wait);
  // Finds the next change and handles it, in several turns of the event loop.
  void look();
  void scan_some();
  void handle_changes(const Stamps& before);
  // Loads the model, or first recognises its files.
  void begin_load(const std::string& model, std::uint64_t stamp);
  void recognise_some();
  void load(const std::string& model, std::uint64_t stamp);
  void unload(const std::string& model);
  void ended();
  // Returns the names of the folders, or nothing if there are too many entries.
  [[nodiscard]] std::optional<std::vector<std::string>> names();
  // An Error has code kNotReady if the model's files have not been recognised yet.
  [[nodiscard]] common::Outcome<common::ModelConfig> read_model(const std::string& model) const;
  [[nodiscard]] bool has_settings(const std::string& model) const;
  void read_some(std::vector<std::string> left, std::function<void()> then);
  // Returns the names of the folders, or the names by the last scan if there are too many entries.
  [[nodiscard]] std::vector<std::string> known_names();

  boost::asio::io_context& io_;
  const std::filesystem::path folder_;
  const Hooks hooks_;
  boost::asio::posix::stream_descriptor events_;
  boost::asio::steady_timer timer_;
  Stamps seen_;                                // by the last scan
  Stamps loaded_;                              // of the models that were loaded, or whose load failed
  std::map<std::string, std::string> logged_;  // the mistakes of models that were logged
  std::optional<Scan> scan_;
  bool look_again_{false};  // something has changed since the last look began
  bool is_crowded_{false};  // the log has the error about too many entries
  // The settings of models that have no file of settings, from the content of their files.
  std::map<std::string, common::Outcome<common::ModelConfig>> recognised_;
  // The settings for the next add_models().
  std::map<std::string, common::Outcome<common::ModelConfig>> read_;
  struct Search {
    std::string model;
    std::uint64_t stamp;
    first_run::ModelFileSearch files;
  };
  std::optional<Search> search_;  // of the model that is loaded next
  bool busy_{false};
};

}  // namespace yolod::app
