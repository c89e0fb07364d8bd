#include "app/models_folder.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "app/first_run/match.hpp"
#include "app/first_run/model_file.hpp"
#include "app/unsupported_settings.hpp"
#include "common/config/model_fields.hpp"
#include "common/config/schema.hpp"
#include "common/error.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace yolod::app {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorCode;
using common::ModelConfig;
using common::Outcome;

constexpr const char* kSettings = "model.yaml";
constexpr std::size_t kMostFolders = 64;  // as many models as a config may have
constexpr std::size_t kMostFiles = 256;
constexpr std::uint32_t kEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;

// Adds to an FNV-1a hash.
void mix(std::uint64_t& hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;
}
void mix(std::uint64_t& hash, std::uint64_t number) {
  mix(hash, std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
}

// Returns a number that depends on the names, sizes and times of the folder's files.
std::uint64_t stamp_of(const fs::path& folder) {
  std::set<fs::path> files;
  std::error_code failure;
  for (fs::directory_iterator file(folder, failure), end; !failure && file != end; file.increment(failure)) {
    if (files.size() < kMostFiles) files.insert(file->path());
  }
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const fs::path& file : files) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0) continue;
    mix(hash, file.filename().string());
    mix(hash, static_cast<std::uint64_t>(facts.st_size));
    mix(hash, static_cast<std::uint64_t>(facts.st_ino));
    mix(hash, static_cast<std::uint64_t>(facts.st_mtim.tv_sec));
    mix(hash, static_cast<std::uint64_t>(facts.st_mtim.tv_nsec));
  }
  return hash;
}

// Returns the settings of a model without a model.yaml, from the content of its files.
Outcome<ModelConfig> matched_model(const fs::path& folder, const std::string& name) {
  const auto files = first_run::find_model_files(folder);
  if (!files) return files.error();
  const auto matches = first_run::match(*files);
  if (matches.models.size() != 1) {
    std::string why = "the folder must have the files of one model, or a model.yaml";
    for (const auto& problem : matches.problems) why += "; " + problem;
    return Error{ErrorCode::kBadConfig, why};
  }
  const auto& found = matches.models.front();
  const auto path_of = [&folder](const std::string& file) { return file.empty() ? fs::path() : folder / file; };
  ModelConfig model;
  model.name = name;
  model.task = found.task;
  if (found.torchscript.empty()) {
    model.source = common::DarknetSource{path_of(found.cfg), path_of(found.weights), path_of(found.names)};
  } else {
    model.source = common::TorchScriptSource{path_of(found.torchscript), path_of(found.names)};
  }
  return model;
}

}  // namespace

ModelsFolder::ModelsFolder(boost::asio::io_context& io, fs::path folder, Hooks hooks)
    : folder_(std::move(folder)), hooks_(std::move(hooks)), events_(io), timer_(io) {}

Outcome<void> ModelsFolder::start() {
  std::error_code failure;
  if (!fs::is_directory(folder_, failure)) {
    return Error{ErrorCode::kSystem,
                 "server.models_dir: there is no folder " + common::printable(folder_.string(), 200)};
  }
  const int descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (descriptor < 0) {
    common::log_warning("server.models_dir: inotify: {}; the folder is scanned every {} s",
                        common::last_system_error("inotify_init1").message, kScanPeriod.count());
  } else {
    events_.assign(descriptor);
    watch(folder_);
    await_events();
  }
  look_soon();
  return {};
}

// A folder that is watched already gets no second watch.
void ModelsFolder::watch(const fs::path& path) {
  if (events_.is_open()) (void)inotify_add_watch(events_.native_handle(), path.c_str(), kEvents);
}

void ModelsFolder::await_events() {
  events_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code failure) {
    if (failure) return;
    std::array<char, 4096> unread{};
    while (::read(events_.native_handle(), unread.data(), unread.size()) > 0) {
    }
    look_soon();
    await_events();
  });
}

void ModelsFolder::look_soon() { look_in(kSettleTime); }

void ModelsFolder::look_in(std::chrono::milliseconds wait) {
  timer_.expires_after(wait);
  timer_.async_wait([this](boost::system::error_code failure) {
    if (!failure) look();
  });
}

ModelsFolder::Stamps ModelsFolder::scan() const {
  Stamps stamps;
  std::error_code failure;
  for (fs::directory_iterator entry(folder_, failure), end; !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.') || !entry->is_directory(ignored) || stamps.size() == kMostFolders) continue;
    stamps.emplace(name, stamp_of(entry->path()));
  }
  return stamps;
}

void ModelsFolder::look() {
  if (busy_) return;
  if (!hooks_.serves()) return look_soon();
  const Stamps before = std::exchange(seen_, scan());
  for (const auto& [model, stamp] : seen_) watch(folder_ / model);
  for (const auto& [model, stamp] : loaded_) {
    if (!seen_.contains(model)) return unload(model);
  }
  bool changes = false;
  for (const auto& [model, stamp] : seen_) {
    const auto loaded = loaded_.find(model);
    if (loaded != loaded_.end() && loaded->second == stamp) continue;
    const auto earlier = before.find(model);
    if (earlier != before.end() && earlier->second == stamp) return load(model, stamp);
    changes = true;
  }
  look_in(changes ? kSettleTime : std::chrono::milliseconds(kScanPeriod));
}

void ModelsFolder::load(const std::string& model, std::uint64_t stamp) {
  busy_ = true;
  common::log_info("server.models_dir: loading {}", common::printable(model, 100));
  hooks_.load(model, [this, model, stamp](const Outcome<void>& result) {
    if (result || result.error().code != ErrorCode::kNotReady) loaded_[model] = stamp;
    if (!result) {
      common::log_warning("server.models_dir: {} is not loaded: {}", common::printable(model, 100),
                          result.error().message);
    }
    ended();
  });
}

void ModelsFolder::unload(const std::string& model) {
  busy_ = true;
  common::log_info("server.models_dir: {} has vanished", common::printable(model, 100));
  hooks_.unload(model, [this, model](const Outcome<void>& result) {
    if (result || result.error().code == ErrorCode::kUnknownModel) loaded_.erase(model);
    ended();
  });
}

void ModelsFolder::ended() {
  busy_ = false;
  look_soon();
}

Outcome<ModelConfig> ModelsFolder::read_model(const std::string& model) const {
  const fs::path folder = folder_ / model;
  const fs::path settings = folder / kSettings;
  std::error_code failure;
  if (!common::is_model_name(model)) {
    return Error{ErrorCode::kBadConfig, "the folder's name is no model name: letters, digits, -, _ and . are allowed"};
  }
  if (!fs::exists(settings, failure)) return matched_model(folder, model);
  std::ifstream stream(settings, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream) return Error{ErrorCode::kBadConfig, "model.yaml cannot be read"};
  return common::parse_named_model(text, settings.string(), folder, model);
}

void ModelsFolder::add_models(common::Config& config) {
  for (const auto& [name, stamp] : scan()) {
    const bool is_taken = std::any_of(config.models.begin(), config.models.end(),
                                      [&name = name](const ModelConfig& other) { return other.name == name; });
    const auto why_not = is_taken                               ? "the config has a model of that name"
                         : config.models.size() >= kMostFolders ? "a server has at most 64 models"
                                                                : "";
    auto model = *why_not != 0 ? Outcome<ModelConfig>(Error{ErrorCode::kBadConfig, why_not}) : read_model(name);
    if (model) {
      model->sandbox = config.sandbox;
      common::Config alone = config;
      alone.models = {*model};
      const auto problems = unsupported_settings(alone);
      if (problems.empty()) {
        config.models.push_back(*std::move(model));
        continue;
      }
      model = Error{ErrorCode::kBadConfig, problems.front().key + ": " + problems.front().message};
    }
    if (const auto logged = logged_.find(name); logged != logged_.end() && logged->second == stamp) continue;
    logged_[name] = stamp;
    common::log_error("server.models_dir: {}: {}", common::printable(name, 100), model.error().message);
  }
}

}  // namespace yolod::app
