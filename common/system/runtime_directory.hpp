// Finds the directory for files that exist while a server runs, mainly its admin socket. The server and yolodctl
// search the same directories, so yolodctl needs no address.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace yolod::common {

// The value of server.admin_listen that selects the socket in the runtime directory.
inline constexpr std::string_view kAdminListenAuto = "auto";

// The first directory is this process's own: $RUNTIME_DIRECTORY (set by systemd), /run/yolod for root, or
// $XDG_RUNTIME_DIR/yolod. A client also searches the directories of servers of other users. Any thread may call it.
[[nodiscard]] std::vector<std::filesystem::path> runtime_directories();

// Returns the path of the admin socket in such a directory.
[[nodiscard]] std::filesystem::path admin_socket_in(const std::filesystem::path& directory);

}  // namespace yolod::common
