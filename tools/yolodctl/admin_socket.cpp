#include "tools/yolodctl/admin_socket.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <system_error>

#include "common/system/runtime_directory.hpp"

namespace yolod::tools {

std::string default_admin_url() {
  const auto directories = common::runtime_directories();
  for (const auto& directory : directories) {
    std::error_code ignored;
    const auto socket = common::admin_socket_in(directory);
    if (std::filesystem::exists(socket, ignored)) return "unix:" + socket.string();
  }
  return "unix:" + common::admin_socket_in(directories.front()).string();
}

std::string reason_in(const Response& answer) {
  boost::system::error_code error;
  const auto value = boost::json::parse(answer.body(), error);
  if (!error && value.is_object()) {
    if (const auto* inner = value.get_object().if_contains("error"); inner != nullptr && inner->is_object()) {
      if (const auto* message = inner->get_object().if_contains("message");
          message != nullptr && message->is_string()) {
        return std::string(message->get_string());
      }
    }
  }
  return "answered " + std::to_string(answer.result_int()) + " " + answer.body();
}

}  // namespace yolod::tools
