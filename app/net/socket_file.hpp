// The files of unix sockets that we listen at: made, given to a group, and removed again if they are still ours.
//
// Front-end only, its one thread.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>

#include "common/outcome.hpp"

namespace yolod::app::net {

// Removes a socket that a server left behind when it was killed: nobody answers at it.
void remove_stale_socket(boost::asio::io_context& io, const std::string& path);

// While it lives, files are made with `mode`, if there is one. The umask is the process's: no other thread may make
// files.
class FileMode {
 public:
  explicit FileMode(std::optional<mode_t> mode);
  FileMode(const FileMode&) = delete;
  FileMode& operator=(const FileMode&) = delete;
  ~FileMode();

 private:
  std::optional<mode_t> before_;
};

// Gives the file to a group: a name or a number. Errors are kSystem.
[[nodiscard]] common::Outcome<void> give_to_group(const std::string& path, const std::string& group);

// Remembers which file it is: one that has taken its place since is another server's.
class SocketFile {
 public:
  // Of a file that is there.
  explicit SocketFile(std::string path);
  // Removes it, if it is still the same.
  void remove() const;

 private:
  std::string path_;
  dev_t device_{0};
  ino_t inode_{0};
};

}  // namespace yolod::app::net
