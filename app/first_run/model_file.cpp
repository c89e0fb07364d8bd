#include "app/first_run/model_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <system_error>
#include <utility>

#include "common/error.hpp"
#include "common/text.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::first_run {
namespace {

using common::Task;

constexpr std::size_t kFirstLook = 4096;  // enough to decide whether to read more
constexpr std::size_t kLookedBytes = std::size_t{1} << 20U;
constexpr std::string_view kArchive = "PK\x03\x04";

std::uint32_t little_endian_word(std::string_view bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 4; i-- > 0;) word = word << 8U | static_cast<unsigned char>(bytes[at + i]);
  return word;
}

// Darknet has written versions 0.1 and 0.2 of its format.
bool is_darknet_weights(std::string_view begin, std::uint64_t size) {
  if (begin.size() < 16 || size % 4 != 0 || little_endian_word(begin, 0) != 0) return false;
  const auto minor = little_endian_word(begin, 4);
  return (minor == 1 || minor == 2) && little_endian_word(begin, 8) <= 10;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  text = common::without_byte_order_mark(text);
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto newline = std::min(text.find('\n'), text.size());
    lines.push_back(common::trimmed(text.substr(0, newline)));
    text.remove_prefix(std::min(newline + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

bool has_control_character(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) {
    return (c >= 0 && c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f') || c == 0x7F;
  });
}

bool is_head(std::string_view section) {
  return section == "[yolo]" || section == "[gaussian_yolo]" || section == "[region]" || section == "[detection]";
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return made;
}

// A cfg begins with [net] or [network]. If it has a head, it detects, and its last head has the number of classes.
// Otherwise it classifies, and its last layer has one output for each class.
std::optional<ModelFile> recognise_cfg(const std::string& name, const std::vector<std::string_view>& lines) {
  ModelFile file{name, FileKind::kCfg, Task::kClassify, 0};
  std::string section;
  std::size_t outputs = 0;
  std::size_t classes = 0;
  for (const auto line : lines) {
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const bool first = section.empty();
      section = lower(line.substr(0, line.find(']') + 1));
      if (first && section != "[net]" && section != "[network]") return std::nullopt;
      if (is_head(section)) file.task = Task::kDetect;
      continue;
    }
    if (section.empty()) return std::nullopt;
    const auto equals = std::min(line.find('='), line.size());
    const auto key = common::trimmed(line.substr(0, equals));
    const auto value = common::trimmed(line.substr(std::min(equals + 1, line.size())));
    std::size_t number = 0;
    if (std::from_chars(value.data(), value.data() + value.size(), number).ec != std::errc{}) continue;
    if (key == "classes" && is_head(section)) classes = number;
    if (key == "filters" || key == "output") outputs = number;
  }
  if (section.empty()) return std::nullopt;
  file.classes = file.task == Task::kDetect ? classes : outputs;
  return file;
}

// A list of labels has one label on each line, and no empty line. If the name does not end in .names, each label
// must also be short, unique, and free of the punctuation of a program, a page or a config.
std::optional<ModelFile> recognise_labels(const std::string& name, const std::vector<std::string_view>& lines) {
  constexpr std::size_t kLongestLabel = 100;
  constexpr std::string_view kNotFirst = "#;[{<\"'-*/%@!|>";
  constexpr std::string_view kNowhere = "=:{}<>;\\|";
  constexpr std::size_t kMostUnnamed = 4096;  // labels in a file that is not called .names
  const bool is_called_so = name.ends_with(".names");
  if (!is_called_so && lines.size() > kMostUnnamed) return std::nullopt;
  std::set<std::string_view> seen;
  for (const auto line : lines) {
    if (line.empty()) return std::nullopt;
    if (is_called_so) continue;
    const bool plain = line.size() <= kLongestLabel && kNotFirst.find(line.front()) == std::string_view::npos &&
                       line.find_first_of(kNowhere) == std::string_view::npos;
    if (!plain || !seen.insert(line).second) return std::nullopt;
  }
  if (lines.empty()) return std::nullopt;
  return ModelFile{name, FileKind::kLabels, Task::kDetect, lines.size()};
}

// Ultralytics and yolodctl write metadata into a TorchScript file, as JSON near its start. Returns the task from
// there.
Task task_in_metadata(std::string_view begin) {
  constexpr std::string_view kKey = "\"task\"";
  const auto at = begin.find(kKey, std::min(begin.find("/extra/"), begin.size()));
  if (at == std::string_view::npos) return Task::kDetect;
  auto rest = begin.substr(at + kKey.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" :"), rest.size()));
  for (const auto task : {Task::kClassify, Task::kImage, Task::kTensor}) {
    if (rest.starts_with('"' + to_string(task) + '"')) return task;
  }
  return Task::kDetect;
}

// PyTorch files are zip archives, and a zip archive lists its entries at the end.
std::optional<ModelFile> recognise_archive(const std::string& name, std::string_view begin, std::string_view end) {
  const auto has_entry = [end](std::string_view entry) { return end.find(entry) != std::string_view::npos; };
  if (has_entry("/constants.pkl")) return ModelFile{name, FileKind::kTorchScript, task_in_metadata(begin), 0};
  if (has_entry("/data.pkl")) return ModelFile{name, FileKind::kCheckpoint, Task::kDetect, 0};
  return std::nullopt;
}

// Appends up to `count` bytes of the file from `offset` on. Returns false if the file ends there or cannot be read.
bool append_piece(int file, std::uint64_t offset, std::size_t count, std::string& text) {
  const std::size_t before = text.size();
  text.resize(before + count);
  ssize_t read = 0;
  do {
    read = ::pread(file, text.data() + before, count, static_cast<off_t>(offset));
  } while (read < 0 && errno == EINTR);
  text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(read, 0)));
  return read > 0;
}

}  // namespace

std::optional<ModelFile> recognise(const std::string& name, std::string_view begin, std::string_view end,
                                   std::uint64_t size) {
  // Before torch.save() wrote zip archives, it wrote a pickle that begins with this number.
  constexpr std::string_view kLegacyCheckpoint = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  if (begin.starts_with(kArchive)) return recognise_archive(name, begin, end);
  if (begin.starts_with(kLegacyCheckpoint)) return ModelFile{name, FileKind::kCheckpoint, Task::kDetect, 0};
  if (is_darknet_weights(begin, size)) return ModelFile{name, FileKind::kDarknetWeights, Task::kDetect, 0};
  if (begin.size() != size || has_control_character(begin)) return std::nullopt;
  const auto lines = lines_of(begin);
  if (auto cfg = recognise_cfg(name, lines)) return cfg;
  return common::is_utf8(begin) ? recognise_labels(name, lines) : std::nullopt;
}

// The bytes of one file that have been read.
struct ModelFileSearch::Look {
  std::string name;
  common::UniqueFd file;
  std::uint64_t size{0};
  std::string begin;
  std::string end;
  std::size_t begin_bytes{kFirstLook};  // how much to read
  std::size_t end_bytes{0};
  bool has_looked{false};  // whether the first bytes have decided how much is read
  bool has_ended{false};

  // Returns nothing if the path is no regular file.
  static std::unique_ptr<Look> at(const std::filesystem::path& path) {
    // Opening a device can have an effect of its own, so only a regular file is opened.
    struct stat named {};
    if (::stat(path.c_str(), &named) != 0 || !S_ISREG(named.st_mode)) return nullptr;
    auto look = std::make_unique<Look>();
    // O_NONBLOCK: if a pipe has taken the file's place, opening it must not wait for a writer.
    look->file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat status {};
    if (!look->file.valid() || ::fstat(look->file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
    look->size = static_cast<std::uint64_t>(status.st_size);
    look->name = path.filename().string();
    return look;
  }

  // Reads more. Returns true when all is read.
  bool read(std::size_t budget_bytes) {
    if (begin.size() < begin_bytes && !has_ended) {
      const std::size_t count = std::min(budget_bytes, begin_bytes - begin.size());
      has_ended = !append_piece(file.get(), begin.size(), count, begin);
      return false;
    }
    if (!std::exchange(has_looked, true)) {
      const bool is_archive = begin.starts_with(kArchive);
      if (is_archive || (size <= kLookedBytes && !has_control_character(begin))) begin_bytes = kLookedBytes;
      if (is_archive) end_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(size, kLookedBytes));
      return false;
    }
    if (end.size() == end_bytes) return true;
    const std::size_t count = std::min(budget_bytes, end_bytes - end.size());
    if (!append_piece(file.get(), size - end_bytes + end.size(), count, end)) end_bytes = end.size();
    return false;
  }
};

ModelFileSearch::ModelFileSearch(const std::filesystem::path& folder, std::size_t most_files) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator() && paths_.size() < most_files;
       entry.increment(error)) {
    paths_.push_back(entry->path());
  }
  if (error) {
    failure_ = common::Error{common::ErrorCode::kSystem, folder.string() + ": " + error.message()};
  } else if (entry != std::filesystem::directory_iterator()) {
    failure_ =
        common::Error{common::ErrorCode::kSystem, folder.string() + ": more than " + std::to_string(most_files) +
                                                      " files; put those of the networks into a folder of their own"};
  }
  std::sort(paths_.begin(), paths_.end());
}

ModelFileSearch::ModelFileSearch(ModelFileSearch&&) noexcept = default;
ModelFileSearch& ModelFileSearch::operator=(ModelFileSearch&&) noexcept = default;
ModelFileSearch::~ModelFileSearch() = default;

common::Outcome<bool> ModelFileSearch::step(std::size_t budget_bytes) {
  if (failure_) return *failure_;
  if (look_ == nullptr) {
    if (next_ == paths_.size()) return true;
    look_ = Look::at(paths_[next_++]);
    return false;
  }
  if (!look_->read(budget_bytes)) return false;
  if (auto file = recognise(look_->name, look_->begin, look_->end, look_->size)) files_.push_back(*std::move(file));
  look_.reset();
  return false;
}

common::Outcome<std::vector<ModelFile>> find_model_files(const std::filesystem::path& folder) {
  ModelFileSearch search(folder);
  for (;;) {
    const auto done = search.step(kLookedBytes);
    if (!done) return done.error();
    if (*done) return search.files();
  }
}

}  // namespace yolod::app::first_run
