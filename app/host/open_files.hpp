// The front-end's limit of open files (RLIMIT_NOFILE), and the number of connections that it leaves room for.
//
// Only the front-end's first thread may call these functions, because the limit is the whole process's.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>

namespace yolod::app::host {

// Raises the limit to the hard limit. Returns the earlier limit, which the workers get.
rlimit raise_open_files();

// Returns `wanted` connections, or fewer if a limit of `open_files` does not allow that many, but at least one. The
// descriptors of the front-end itself, of two generations of `workers`, and `reserved` others come first.
[[nodiscard]] std::size_t connections_within(rlim_t open_files, std::uint64_t workers, std::size_t reserved,
                                             std::size_t wanted);

}  // namespace yolod::app::host
