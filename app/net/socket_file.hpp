// Manages the files of the Unix sockets that the server listens at: creates them with a mode, gives them to a group,
// and removes them if they are still the server's own.
//
// All of it is used on the front-end's only thread.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>

#include "common/outcome.hpp"

namespace yolod::app::net {

// Removes a socket file that a killed server left behind. The connection attempt shows that no server answers.
void remove_stale_socket(boost::asio::io_context& io, const std::string& path);

// While it lives, new files get `mode` if there is one. It sets the umask of the whole process, so no other thread
// may create files meanwhile.
class FileMode {
 public:
  explicit FileMode(std::optional<mode_t> mode);
  FileMode(const FileMode&) = delete;
  FileMode& operator=(const FileMode&) = delete;
  ~FileMode();

 private:
  std::optional<mode_t> before_;
};

// Gives the file to a group, which is a name or a number. An Error is kSystem.
[[nodiscard]] common::Outcome<void> give_to_group(const std::string& path, const std::string& group);

// Remembers a file by its inode, because another server may replace the file later.
class SocketFile {
 public:
  // REQUIRES: the file exists.
  explicit SocketFile(std::string path);
  // Removes the file if it has not been replaced.
  void remove() const;

 private:
  std::string path_;
  dev_t device_{0};
  ino_t inode_{0};
};

}  // namespace yolod::app::net
