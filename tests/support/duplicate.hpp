// Duplicates a descriptor, as a worker has a duplicate of each descriptor that the front-end made.
#pragma once

#include <fcntl.h>

#include "common/unique_fd.hpp"

namespace yolod::tests {

inline common::UniqueFd duplicate(int descriptor) { return common::UniqueFd(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)); }

}  // namespace yolod::tests
