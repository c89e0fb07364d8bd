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

// These classes are members of ModelFileSearch::Look, so they have names outside of this file.
namespace model_file {

// A cfg begins with [net] or [network]. If it has a head, it detects, and its last head has the number of classes.
// Otherwise it classifies, and its last layer has one output for each class.
class CfgLines {
 public:
  void add(std::string_view line) {
    if (!is_possible_ || line.empty() || line.front() == '#' || line.front() == ';') return;
    if (line.front() == '[') {
      const bool first = section_.empty();
      section_ = lower(line.substr(0, line.find(']') + 1));
      if (first && section_ != "[net]" && section_ != "[network]") is_possible_ = false;
      if (is_head(section_)) task_ = Task::kDetect;
      return;
    }
    if (section_.empty()) {
      is_possible_ = false;
      return;
    }
    const auto equals = std::min(line.find('='), line.size());
    const auto key = common::trimmed(line.substr(0, equals));
    const auto value = common::trimmed(line.substr(std::min(equals + 1, line.size())));
    std::size_t number = 0;
    if (std::from_chars(value.data(), value.data() + value.size(), number).ec != std::errc{}) return;
    if (key == "classes" && is_head(section_)) classes_ = number;
    if (key == "filters" || key == "output") outputs_ = number;
  }
  [[nodiscard]] bool is_possible() const { return is_possible_; }
  // Call it after the last line.
  [[nodiscard]] std::optional<ModelFile> file(const std::string& name) const {
    if (!is_possible_ || section_.empty()) return std::nullopt;
    return ModelFile{name, FileKind::kCfg, task_, task_ == Task::kDetect ? classes_ : outputs_};
  }

 private:
  bool is_possible_{true};
  Task task_{Task::kClassify};
  std::string section_;
  std::size_t outputs_{0};
  std::size_t classes_{0};
};

// A list of labels has one label on each line, and no empty line but the last ones. If the name does not end in .names,
// each label must also be short, unique, and free of the punctuation of a program, a page or a config.
class LabelLines {
 public:
  explicit LabelLines(const std::string& name) : is_called_so_(name.ends_with(".names")) {}

  void add(std::string_view line) {
    if (line.empty()) {
      has_blank_ = true;
    } else if (is_possible_) {
      is_possible_ = !has_blank_ && common::is_utf8(line) && (is_called_so_ || is_plain(line));
      ++count_;
    }
  }
  [[nodiscard]] bool is_possible() const { return is_possible_; }
  // Call it after the last line.
  [[nodiscard]] std::optional<ModelFile> file(const std::string& name) const {
    if (!is_possible_ || count_ == 0) return std::nullopt;
    return ModelFile{name, FileKind::kLabels, Task::kDetect, count_};
  }

 private:
  bool is_plain(std::string_view line) {
    constexpr std::size_t kLongestLabel = 100;
    constexpr std::string_view kNotFirst = "#;[{<\"'-*/%@!|>";
    constexpr std::string_view kNowhere = "=:{}<>;\\|";
    constexpr std::size_t kMostUnnamed = 4096;  // labels in a file that is not called .names
    return count_ < kMostUnnamed && line.size() <= kLongestLabel &&
           kNotFirst.find(line.front()) == std::string_view::npos &&
           line.find_first_of(kNowhere) == std::string_view::npos && seen_.insert(line).second;
  }

  const bool is_called_so_;
  bool is_possible_{true};
  bool has_blank_{false};
  std::size_t count_{0};
  std::set<std::string_view> seen_;  // the text outlives this object
};

// Searches `needle` in a text, in steps.
class PieceFind {
 public:
  PieceFind(std::string_view text, std::string_view needle, std::size_t from = 0)
      : text_(text), needle_(needle), at_(from) {}
  // Searches about `budget_bytes` more. Returns true at the end.
  bool step(std::size_t budget_bytes) {
    if (found_ || at_ >= text_.size()) return true;
    const auto place = text_.substr(at_, budget_bytes + needle_.size() - 1).find(needle_);
    if (place != std::string_view::npos) found_ = at_ + place;
    at_ += budget_bytes;
    return found_ || at_ >= text_.size();
  }
  [[nodiscard]] std::optional<std::size_t> found() const { return found_; }

 private:
  std::string_view text_;
  std::string_view needle_;
  std::size_t at_;
  std::optional<std::size_t> found_;
};

// Recognises the kind of a file from its bytes, in steps.
class Recogniser {
 public:
  // The texts outlive this object.
  Recogniser(std::string name, std::string_view begin, std::string_view end, std::uint64_t size)
      : name_(std::move(name)),
        begin_(begin),
        left_(common::without_byte_order_mark(begin)),
        labels_(name_),
        constants_(end, "/constants.pkl"),
        data_(end, "/data.pkl"),
        extra_(begin, "/extra/") {
    // Before torch.save() wrote zip archives, it wrote a pickle that begins with this number.
    constexpr std::string_view kLegacyCheckpoint = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    if (begin.starts_with(kArchive)) {
      is_archive_ = true;
    } else if (begin.starts_with(kLegacyCheckpoint)) {
      file_ = ModelFile{name_, FileKind::kCheckpoint, Task::kDetect, 0};
      is_over_ = true;
    } else if (is_darknet_weights(begin, size)) {
      file_ = ModelFile{name_, FileKind::kDarknetWeights, Task::kDetect, 0};
      is_over_ = true;
    } else {
      is_over_ = begin.size() != size;
    }
  }

  // Looks at about `budget_bytes` more. Returns true at the end.
  bool step(std::size_t budget_bytes) {
    if (!is_over_) is_over_ = is_archive_ ? step_archive(budget_bytes) : step_text(budget_bytes);
    return is_over_;
  }
  // Returns nothing if it is no model file. REQUIRES: step() has returned true.
  [[nodiscard]] const std::optional<ModelFile>& file() const { return file_; }

 private:
  bool step_text(std::size_t budget_bytes) {
    constexpr std::size_t kLongestLine = 64 * 1024;
    constexpr std::size_t kLineCost = 32;  // a line costs as much as about so many bytes
    if (checked_bytes_ < begin_.size()) {
      const auto piece = begin_.substr(checked_bytes_, budget_bytes);
      checked_bytes_ += piece.size();
      return has_control_character(piece);
    }
    for (std::size_t used = 0; used < budget_bytes;) {
      if (left_.empty()) {
        file_ = cfg_.file(name_);
        if (!file_) file_ = labels_.file(name_);
        return true;
      }
      const auto newline = std::min(left_.substr(0, kLongestLine).find('\n'), left_.size());
      if (newline > kLongestLine) return true;
      const auto line = common::trimmed(left_.substr(0, newline));
      left_.remove_prefix(std::min(newline + 1, left_.size()));
      cfg_.add(line);
      labels_.add(line);
      if (!cfg_.is_possible() && !labels_.is_possible()) return true;
      used += newline + kLineCost;
    }
    return false;
  }

  // PyTorch files are zip archives, and a zip archive lists its entries at the end. Ultralytics and yolodctl write
  // metadata into a TorchScript file, as JSON near its start. They have the task.
  bool step_archive(std::size_t budget_bytes) {
    if (task_key_) {
      if (!task_key_->step(budget_bytes)) return false;
      file_->task = task_at(*task_key_);
      return true;
    }
    if (!constants_.step(budget_bytes)) return false;
    if (!constants_.found()) {
      if (!data_.step(budget_bytes)) return false;
      if (data_.found()) file_ = ModelFile{name_, FileKind::kCheckpoint, Task::kDetect, 0};
      return true;
    }
    if (!extra_.step(budget_bytes)) return false;
    file_ = ModelFile{name_, FileKind::kTorchScript, Task::kDetect, 0};
    task_key_.emplace(begin_, kTaskKey, extra_.found().value_or(begin_.size()));
    return false;
  }

  [[nodiscard]] Task task_at(const PieceFind& key) const {
    if (!key.found()) return Task::kDetect;
    auto rest = begin_.substr(*key.found() + kTaskKey.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" :"), rest.size()));
    for (const auto task : {Task::kClassify, Task::kImage, Task::kTensor}) {
      if (rest.starts_with('"' + to_string(task) + '"')) return task;
    }
    return Task::kDetect;
  }

  static constexpr std::string_view kTaskKey = "\"task\"";

  const std::string name_;
  const std::string_view begin_;
  bool is_archive_{false};
  bool is_over_{false};
  std::optional<ModelFile> file_;
  std::size_t checked_bytes_{0};  // of a text, for control characters
  std::string_view left_;         // the lines of a text that have not been examined
  CfgLines cfg_;
  LabelLines labels_;
  PieceFind constants_;
  PieceFind data_;
  PieceFind extra_;
  std::optional<PieceFind> task_key_;
};

}  // namespace model_file

std::optional<ModelFile> recognise(const std::string& name, std::string_view begin, std::string_view end,
                                   std::uint64_t size) {
  model_file::Recogniser recogniser(name, begin, end, size);
  while (!recogniser.step(kLookedBytes)) {
  }
  return recogniser.file();
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
  std::optional<model_file::Recogniser> recogniser{};  // of the bytes, when all are read

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
  auto& recogniser = look_->recogniser;
  if (!recogniser) {
    if (look_->read(budget_bytes)) recogniser.emplace(look_->name, look_->begin, look_->end, look_->size);
    return false;
  }
  if (!recogniser->step(budget_bytes)) return false;
  if (const auto& file = recogniser->file()) files_.push_back(*file);
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
