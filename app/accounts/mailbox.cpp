#include "app/accounts/mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "common/log.hpp"

namespace yolod::app::accounts {

Mailbox::Mailbox() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (event_.valid()) return;
  common::log_error("{}", common::last_system_error("eventfd").message);
  std::abort();
}

void Mailbox::post(std::function<void()> letter) {
  const std::lock_guard lock(mutex_);
  letters_.push_back(std::move(letter));
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(event_.get(), &one, sizeof one);
}

bool Mailbox::open() {
  std::vector<std::function<void()>> letters;
  {
    const std::lock_guard lock(mutex_);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto emptied = read(event_.get(), &count, sizeof count);
    letters.swap(letters_);
  }
  for (const auto& letter : letters) letter();
  return !letters.empty();
}

}  // namespace yolod::app::accounts
