// Where a server keeps what lives as long as it runs, its admin socket above all. The server and yolodctl look in the
// same places, so that a command needs no address.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace yolod::common {

// The value of server.admin_listen that stands for the socket in the runtime directory.
inline constexpr std::string_view kAdminListenAuto = "auto";

// The first of them is this process's own: $RUNTIME_DIRECTORY (systemd sets it), /run/yolod for root, or
// $XDG_RUNTIME_DIR/yolod. A client also looks where a server of another user may be. Any thread.
[[nodiscard]] std::vector<std::filesystem::path> runtime_directories();

// The admin socket in such a directory.
[[nodiscard]] std::filesystem::path admin_socket_in(const std::filesystem::path& directory);

}  // namespace yolod::common
