#include "tools/yolodctl/picture_source.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "common/system/sibling_program.hpp"

namespace yolod::tools {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorCode;
using common::Outcome;

bool is_picture_name(const fs::path& path) {
  constexpr std::array<std::string_view, 11> kEndings{".jpg",  ".jpeg", ".png", ".bmp", ".webp", ".tif",
                                                      ".tiff", ".ppm",  ".pgm", ".npy", ".npz"};
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

}  // namespace

bool has_pictures(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) || (fs::is_regular_file(path, ignored) && is_picture_name(path));
}

// ---- files ----

Outcome<std::unique_ptr<FileSource>> FileSource::open(const fs::path& path) {
  auto source = std::make_unique<FileSource>();
  std::error_code failure;
  if (fs::is_regular_file(path, failure)) {
    source->files_.push_back(path);
    return source;
  }
  for (auto at = fs::directory_iterator(path, failure); !failure && at != fs::directory_iterator();
       at.increment(failure)) {
    if (is_picture_name(at->path())) source->files_.push_back(at->path());
  }
  if (failure) return Error{ErrorCode::kBadRequest, path.string() + ": " + failure.message()};
  if (source->files_.empty()) return Error{ErrorCode::kBadRequest, path.string() + ": the folder has no picture"};
  std::sort(source->files_.begin(), source->files_.end());
  return source;
}

boost::asio::awaitable<Outcome<std::optional<Picture>>> FileSource::next() {
  if (next_ == files_.size()) co_return std::optional<Picture>();
  const fs::path& path = files_[next_++];
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) co_return Error{ErrorCode::kSystem, path.string() + ": cannot be read"};
  co_return std::optional(Picture{path.filename().string(), std::move(bytes)});
}

// ---- videos ----

Outcome<std::unique_ptr<VideoSource>> VideoSource::open(boost::asio::io_context& io, const std::string& path) {
  const auto program = common::find_sibling_program("yolodctl-frames");
  if (!program) {
    return Error{ErrorCode::kSystem, program.error().message + "; without it yolodctl watch reads pictures only"};
  }
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return common::last_system_error("cannot make a pipe");
  const pid_t child = fork();
  if (child < 0) return common::last_system_error("cannot start a process");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(ends[1], STDOUT_FILENO);
    execl(program->c_str(), program->c_str(), path.c_str(), nullptr);
    _exit(127);
  }
  ::close(ends[1]);
  return std::make_unique<VideoSource>(io, child, ends[0]);
}

VideoSource::VideoSource(boost::asio::io_context& io, pid_t program, int pipe) : program_(program), pipe_(io, pipe) {}

VideoSource::~VideoSource() {
  kill(program_, SIGTERM);
  waitpid(program_, nullptr, 0);
}

// The program writes each picture as its length, 4 bytes with the least first, and its bytes as JPEG.
boost::asio::awaitable<Outcome<std::optional<Picture>>> VideoSource::next() {
  constexpr auto kWait = boost::asio::as_tuple(boost::asio::use_awaitable);
  constexpr std::uint32_t kMostBytes = 64U << 20U;
  std::array<std::uint8_t, 4> head{};
  auto [no_head, head_bytes] = co_await boost::asio::async_read(pipe_, boost::asio::buffer(head), kWait);
  if (no_head && count_ == 0) co_return Error{ErrorCode::kSystem, "the video has no picture"};
  if (no_head) co_return std::optional<Picture>();
  const std::uint32_t length = head[0] | head[1] << 8U | head[2] << 16U | static_cast<std::uint32_t>(head[3]) << 24U;
  if (length > kMostBytes) co_return Error{ErrorCode::kSystem, "a picture of the video is too large"};
  Picture picture{std::to_string(++count_), std::string(length, '\0')};
  auto [cut, bytes] = co_await boost::asio::async_read(pipe_, boost::asio::buffer(picture.bytes), kWait);
  if (cut) co_return Error{ErrorCode::kSystem, "yolodctl-frames has ended in the middle of a picture"};
  co_return std::optional(std::move(picture));
}

}  // namespace yolod::tools
