#include "app/process/settings_memfd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace yolod::app::process {

common::Outcome<common::UniqueFd> make_settings_memfd(std::string_view settings) {
  common::UniqueFd file(memfd_create("yolod-config", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) return common::last_system_error("memfd_create");
  if (write(file.get(), settings.data(), settings.size()) != static_cast<ssize_t>(settings.size())) {
    return common::last_system_error("cannot write a child's settings");
  }
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return common::last_system_error("cannot seal a child's settings");
  }
  return file;
}

}  // namespace yolod::app::process
