// Gives `yolodctl watch` its pictures: the files of a folder, or the pictures of a video or a camera, which the program
// yolodctl-frames reads with OpenCV. That program has no connection to a server. One thread uses an object.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::tools {

struct Picture {
  std::string name;  // of its file, or its number in the video
  std::string bytes;
};

class PictureSource {
 public:
  PictureSource() = default;
  PictureSource(const PictureSource&) = delete;
  PictureSource& operator=(const PictureSource&) = delete;
  virtual ~PictureSource() = default;
  // Returns the next picture, or nothing at the end. An Error has code kSystem.
  [[nodiscard]] virtual boost::asio::awaitable<common::Outcome<std::optional<Picture>>> next() = 0;
};

// The pictures of a folder in the order of their names, or one file.
class FileSource final : public PictureSource {
 public:
  // An Error has code kBadRequest: there is no such folder or file, or the folder has no picture.
  [[nodiscard]] static common::Outcome<std::unique_ptr<FileSource>> open(const std::filesystem::path& path);
  [[nodiscard]] boost::asio::awaitable<common::Outcome<std::optional<Picture>>> next() override;

 private:
  std::vector<std::filesystem::path> files_;
  std::size_t next_{0};
};

// The pictures of a video file or a V4L2 camera. The destructor ends the other program.
class VideoSource final : public PictureSource {
 public:
  // An Error has code kSystem: the program cannot be started.
  [[nodiscard]] static common::Outcome<std::unique_ptr<VideoSource>> open(boost::asio::io_context& io,
                                                                          const std::string& path);
  VideoSource(boost::asio::io_context& io, pid_t program, int pipe);
  ~VideoSource() override;
  [[nodiscard]] boost::asio::awaitable<common::Outcome<std::optional<Picture>>> next() override;

 private:
  const pid_t program_;
  boost::asio::posix::stream_descriptor pipe_;
  std::size_t count_{0};
};

// Returns whether the path names a picture or a folder, and no video.
[[nodiscard]] bool has_pictures(const std::filesystem::path& path);

}  // namespace yolod::tools
