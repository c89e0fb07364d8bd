// An object of POSIX shared memory that the test removes at its end.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <system_error>

#include "common/unique_fd.hpp"

namespace yolod::tests {

class SharedObject {
 public:
  // Makes an object with a new name, which begins with "yolod-test-".
  explicit SharedObject(std::size_t bytes) : name_(next_name()) {
    file_.reset(::shm_open(name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file_.valid()) throw std::system_error(errno, std::generic_category(), "shm_open");
    resize(bytes);
  }
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;
  ~SharedObject() { ::shm_unlink(name_.c_str()); }

  [[nodiscard]] const std::string& name() const { return name_; }
  void resize(std::size_t bytes) {
    if (::ftruncate(file_.get(), static_cast<off_t>(bytes)) != 0) {
      throw std::system_error(errno, std::generic_category(), "ftruncate");
    }
  }
  void write(const std::string& bytes, std::size_t offset = 0) {
    if (::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(bytes.size())) {
      throw std::system_error(errno, std::generic_category(), "pwrite");
    }
  }
  [[nodiscard]] std::string read(std::size_t bytes, std::size_t offset = 0) const {
    std::string text(bytes, '\0');
    const auto got = ::pread(file_.get(), text.data(), bytes, static_cast<off_t>(offset));
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }

 private:
  static std::string next_name() {
    static std::atomic<int> count{0};
    return "/yolod-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  }

  const std::string name_;
  common::UniqueFd file_;
};

}  // namespace yolod::tests
