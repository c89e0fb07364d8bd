#include "app/net/admin_peer.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

#include "common/unique_fd.hpp"

namespace yolod::app::net {

// The format of proc(5) is "pid (name) state ppid ...". The name may contain any character, also parentheses and
// spaces.
std::optional<pid_t> parent_of(pid_t process) {
  const std::string name = "/proc/" + std::to_string(process) + "/stat";
  const common::UniqueFd file(open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  std::array<char, 512> text{};
  const ssize_t bytes = read(file.get(), text.data(), text.size());
  if (bytes <= 0) return std::nullopt;
  std::string_view rest(text.data(), static_cast<std::size_t>(bytes));
  const auto after_name = rest.rfind(") ");
  constexpr std::size_t kToParent = 4;  // ") S "
  if (after_name == std::string_view::npos || rest.size() <= after_name + kToParent) return std::nullopt;
  rest.remove_prefix(after_name + kToParent);
  pid_t parent = 0;
  const auto [end, wrong] = std::from_chars(rest.data(), rest.data() + rest.size(), parent);
  if (wrong != std::errc{}) return std::nullopt;
  return parent;
}

bool may_descend_from(pid_t process, pid_t ancestor, const std::function<std::optional<pid_t>(pid_t)>& parent) {
  constexpr int kDeepest = 1000;
  for (int depth = 0; depth < kDeepest; ++depth) {
    if (process == ancestor) return true;
    // Process 1 has no ancestor. The parent is 0 if it is in another PID namespace.
    if (process <= 1) return false;
    const auto next = parent(process);
    if (!next) return true;
    process = *next;
  }
  return true;
}

bool may_administer(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer) return false;
  // For a TCP socket the kernel returns the uid -1.
  if (peer.uid != 0 && peer.uid != geteuid()) return false;
  return !may_descend_from(peer.pid, getpid());
}

}  // namespace yolod::app::net
