#include "app/net/socket_file.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>
#include <utility>

namespace yolod::app::net {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Error;
using common::ErrorCode;
using common::Outcome;

void remove_stale_socket(asio::io_context& io, const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  asio::local::stream_protocol::socket probe(io);
  error_code failure;
  probe.open(asio::local::stream_protocol(), failure);
  probe.non_blocking(true, failure);  // a server that hangs with a full backlog is alive
  probe.connect(asio::local::stream_protocol::endpoint(path), failure);
  if (failure == asio::error::connection_refused) unlink(path.c_str());
}

FileMode::FileMode(std::optional<mode_t> mode) {
  constexpr mode_t kAll = 0777;
  if (mode) before_ = umask(kAll & ~*mode);
}

FileMode::~FileMode() {
  if (before_) umask(*before_);
}

Outcome<void> give_to_group(const std::string& path, const std::string& group) {
  gid_t id = 0;
  const auto [end, failure] = std::from_chars(group.data(), group.data() + group.size(), id);
  if (failure != std::errc{} || end != group.data() + group.size()) {
    const struct group* const entry = getgrnam(group.c_str());
    if (entry == nullptr) return Error{ErrorCode::kSystem, path + ": there is no group " + group};
    id = entry->gr_gid;
  }
  constexpr auto kOwnerStays = static_cast<uid_t>(-1);
  if (lchown(path.c_str(), kOwnerStays, id) != 0) {
    return common::last_system_error("cannot give " + path + " to the group " + group);
  }
  return {};
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat status {};
  if (lstat(path_.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

void SocketFile::remove() const {
  struct stat status {};
  const bool same = lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
  if (same) unlink(path_.c_str());
}

}  // namespace yolod::app::net
