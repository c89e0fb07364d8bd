// Tests whether this process can decode every format.
#pragma once

#include "common/outcome.hpp"

namespace yolod::model::image {

// Decodes one tiny picture of each format from memory and compares every pixel. A process calls it after it has given
// up its privileges and before it serves, to detect a decoder that needs a denied system call. It also triggers the
// one-time initialisation of the libraries. It takes less than 10 ms. Any thread may call it.
//
// The Error (kInternal) names the format.
[[nodiscard]] common::Outcome<void> self_test();

}  // namespace yolod::model::image
