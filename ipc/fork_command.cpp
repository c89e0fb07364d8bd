#include "ipc/fork_command.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace yolod::ipc {
namespace {

constexpr std::size_t kDescriptorCount = 3;
constexpr std::size_t kDescriptorBytes = kDescriptorCount * sizeof(int);

struct alignas(cmsghdr) AncillaryRoom {
  char bytes[CMSG_SPACE(kDescriptorBytes)]{};
};

}  // namespace

bool send_fork(int descriptor, const LentDescriptors& descriptors, Command fork) {
  auto byte = static_cast<unsigned char>(fork);
  iovec place{&byte, 1};
  AncillaryRoom room;
  msghdr header{};
  header.msg_iov = &place;
  header.msg_iovlen = 1;
  header.msg_control = room.bytes;
  header.msg_controllen = sizeof room.bytes;
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(kDescriptorBytes);
  const std::array<int, kDescriptorCount> numbers{descriptors.control, descriptors.lane, descriptors.doorbell};
  std::memcpy(CMSG_DATA(rights), numbers.data(), kDescriptorBytes);
  return sendmsg(descriptor, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

std::optional<LoaderCommand> wait_for_loader_command(int descriptor) {
  unsigned char byte = 0;
  iovec place{&byte, 1};
  AncillaryRoom room;
  msghdr header{};
  header.msg_iov = &place;
  header.msg_iovlen = 1;
  header.msg_control = room.bytes;
  header.msg_controllen = sizeof room.bytes;
  ssize_t received = 0;
  do {
    received = recvmsg(descriptor, &header, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received != 1) return std::nullopt;

  LoaderCommand command;
  command.command = static_cast<Command>(byte);
  if (!is_fork(command.command)) return command;
  const cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  if (rights == nullptr || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
      rights->cmsg_len != CMSG_LEN(kDescriptorBytes)) {
    return std::nullopt;
  }
  std::array<int, kDescriptorCount> numbers{};
  std::memcpy(numbers.data(), CMSG_DATA(rights), kDescriptorBytes);
  command.descriptors = {common::UniqueFd(numbers[0]), common::UniqueFd(numbers[1]), common::UniqueFd(numbers[2])};
  return command;
}

}  // namespace yolod::ipc
