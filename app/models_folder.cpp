#include "app/models_folder.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "app/first_run/match.hpp"
#include "app/triton_model.hpp"
#include "app/unsupported_settings.hpp"
#include "common/config/model_fields.hpp"
#include "common/config/schema.hpp"
#include "common/error.hpp"
#include "common/log.hpp"
#include "common/system/plain_file.hpp"
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
constexpr std::size_t kMostWatchedVersions = 16;
constexpr std::size_t kMostSettingsBytes = 64 * 1024;
// A turn of the event loop reads or examines this much of a file.
constexpr std::size_t kReadAtOnceBytes = 64 * 1024;
constexpr std::uint32_t kEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;

// Adds to an FNV-1a hash.
void mix(std::uint64_t& hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;
}
void mix(std::uint64_t& hash, std::uint64_t number) {
  mix(hash, std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
}

// Triton's layout has a folder for each version of a model.
bool is_version(const fs::path& path) {
  const std::string name = path.filename().string();
  return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

// Adds the files of a folder, and of the folders of versions in it.
void add_files(const fs::path& folder, bool with_versions, std::set<fs::path>& files) {
  std::error_code failure;
  for (fs::directory_iterator file(folder, failure), end; !failure && file != end; file.increment(failure)) {
    if (files.size() == kMostFiles) return;
    std::error_code ignored;
    if (with_versions && is_version(file->path()) && file->is_directory(ignored)) add_files(file->path(), false, files);
    files.insert(file->path());
  }
}

// Returns a number that depends on the names, sizes and times of the folder's files.
std::uint64_t stamp_of(const fs::path& folder) {
  std::set<fs::path> files;
  add_files(folder, true, files);
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

// Returns the settings of a model without a file of settings, from its files.
Outcome<ModelConfig> matched_model(const std::vector<first_run::ModelFile>& files, const fs::path& folder,
                                   const std::string& name) {
  const auto matches = first_run::match(files);
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

// Returns the bytes of a model.yaml.
Outcome<std::string> text_of(const fs::path& path) {
  auto text = common::read_plain_file(path, kMostSettingsBytes);
  if (!text) return Error{ErrorCode::kBadConfig, "model.yaml " + text.error().message};
  return text;
}

// Returns whether the folder has an entry of that name, also if it is a link to nothing.
bool has_entry(const fs::path& path) {
  std::error_code failure;
  return fs::exists(fs::symlink_status(path, failure));
}

}  // namespace

ModelsFolder::ModelsFolder(boost::asio::io_context& io, fs::path folder, Hooks hooks)
    : io_(io), folder_(std::move(folder)), hooks_(std::move(hooks)), events_(io), timer_(io) {}

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

void ModelsFolder::watch_model(const fs::path& folder) {
  watch(folder);
  std::error_code failure;
  std::size_t left = kMostWatchedVersions;
  std::size_t entries_left = kMostEntries;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end && left != 0 && entries_left-- != 0;
       entry.increment(failure)) {
    std::error_code ignored;
    if (!is_version(entry->path()) || !entry->is_directory(ignored)) continue;
    watch(entry->path());
    --left;
  }
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

void ModelsFolder::look_soon() {
  look_again_ = true;
  look_in(kSettleTime);
}

void ModelsFolder::look_in(std::chrono::milliseconds wait) {
  timer_.expires_after(wait);
  timer_.async_wait([this](boost::system::error_code failure) {
    if (!failure) look();
  });
}

std::optional<std::vector<std::string>> ModelsFolder::names() {
  std::vector<std::string> names;
  std::error_code failure;
  std::size_t left = kMostEntries;
  for (fs::directory_iterator entry(folder_, failure), end; !failure && entry != end; entry.increment(failure)) {
    if (left-- == 0) {
      if (!std::exchange(is_crowded_, true)) {
        common::log_error(
            "server.models_dir has more than {} entries, so the server follows no change of the folder; move other "
            "files "
            "elsewhere",
            kMostEntries);
      }
      return std::nullopt;
    }
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.') || !entry->is_directory(ignored) || names.size() == kMostFolders) continue;
    names.push_back(name);
  }
  is_crowded_ = false;
  std::sort(names.begin(), names.end());
  return names;
}

void ModelsFolder::look() {
  if (busy_ || scan_) return;  // the end of the work looks again
  if (!hooks_.serves()) return look_soon();
  look_again_ = false;
  auto found = names();
  if (!found) return look_in(kScanPeriod);
  scan_.emplace(Scan{*std::move(found), {}});
  scan_some();
}

// Looks at one model in each turn of the event loop.
void ModelsFolder::scan_some() {
  if (scan_->names.empty()) {
    const Stamps before = std::exchange(seen_, std::move(scan_->stamps));
    scan_.reset();
    return handle_changes(before);
  }
  const std::string model = std::move(scan_->names.back());
  scan_->names.pop_back();
  watch_model(folder_ / model);  // first, so that no change is missed
  scan_->stamps.emplace(model, stamp_of(folder_ / model));
  boost::asio::post(io_, [this] { scan_some(); });
}

void ModelsFolder::handle_changes(const Stamps& before) {
  if (!hooks_.serves()) return look_soon();
  for (const auto& [model, stamp] : loaded_) {
    if (!seen_.contains(model)) return unload(model);
  }
  bool changes = look_again_;
  for (const auto& [model, stamp] : seen_) {
    const auto loaded = loaded_.find(model);
    if (loaded != loaded_.end() && loaded->second == stamp) continue;
    const auto earlier = before.find(model);
    if (earlier != before.end() && earlier->second == stamp) return begin_load(model, stamp);
    changes = true;
  }
  look_in(changes ? kSettleTime : std::chrono::milliseconds(kScanPeriod));
}

bool ModelsFolder::has_settings(const std::string& model) const {
  return has_entry(folder_ / model / kSettings) || has_entry(folder_ / model / kTritonConfig);
}

void ModelsFolder::begin_load(const std::string& model, std::uint64_t stamp) {
  if (has_settings(model)) return load(model, stamp);
  busy_ = true;
  search_.emplace(Search{model, stamp, first_run::ModelFileSearch(folder_ / model, kMostFiles)});
  recognise_some();
}

void ModelsFolder::recognise_some() {
  boost::asio::post(io_, [this] {
    const auto done = search_->files.step(kReadAtOnceBytes);
    if (done && !*done) return recognise_some();
    const Search search = *std::exchange(search_, std::nullopt);
    recognised_.insert_or_assign(
        search.model, done ? matched_model(search.files.files(), folder_ / search.model, search.model) : done.error());
    load(search.model, search.stamp);
  });
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
    recognised_.erase(model);
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
  if (!common::is_model_name(model)) {
    return Error{ErrorCode::kBadConfig, "the folder's name is no model name: letters, digits, -, _ and . are allowed"};
  }
  if (has_entry(settings)) {
    const auto text = text_of(settings);
    if (!text) return text.error();
    return common::parse_named_model(*text, settings.string(), folder, model);
  }
  if (has_entry(folder / kTritonConfig)) return read_triton_model(folder, model);
  const auto found = recognised_.find(model);
  if (found == recognised_.end()) return Error{ErrorCode::kNotReady, "the folder's files have not been recognised yet"};
  return found->second;
}

std::vector<std::string> ModelsFolder::known_names() {
  if (auto found = names()) return *std::move(found);
  std::vector<std::string> before;
  for (const auto& [name, stamp] : seen_) before.push_back(name);
  return before;
}

void ModelsFolder::read_models(std::function<void()> then) {
  read_.clear();
  read_some(known_names(), std::move(then));
}

void ModelsFolder::read_some(std::vector<std::string> left, std::function<void()> then) {
  boost::asio::post(io_, [this, left = std::move(left), then = std::move(then)]() mutable {
    if (left.empty()) return then();
    const std::string model = std::move(left.back());
    left.pop_back();
    read_.insert_or_assign(model, read_model(model));
    read_some(std::move(left), std::move(then));
  });
}

void ModelsFolder::add_models(common::Config& config) {
  common::Config alone = config;
  for (const auto& name : known_names()) {
    const bool is_taken = std::any_of(config.models.begin(), config.models.end(),
                                      [&name](const ModelConfig& other) { return other.name == name; });
    const auto why_not = is_taken                               ? "the config has a model of that name"
                         : config.models.size() >= kMostFolders ? "a server has at most 64 models"
                                                                : "";
    auto node = read_.extract(name);
    auto model = *why_not != 0  ? Outcome<ModelConfig>(Error{ErrorCode::kBadConfig, why_not})
                 : node.empty() ? read_model(name)
                                : std::move(node.mapped());
    if (model) {
      model->sandbox = config.sandbox;
      alone.models = {*model};
      const auto problems = unsupported_settings(alone);
      if (problems.empty()) {
        config.models.push_back(*std::move(model));
        logged_.erase(name);
        continue;
      }
      model = Error{ErrorCode::kBadConfig, problems.front().key + ": " + problems.front().message};
    }
    if (model.error().code == ErrorCode::kNotReady) continue;
    if (const auto logged = logged_.find(name); logged != logged_.end() && logged->second == model.error().message) {
      continue;
    }
    logged_[name] = model.error().message;
    common::log_error("server.models_dir: {}: {}", common::printable(name, 100), model.error().message);
  }
  read_.clear();
}

}  // namespace yolod::app
