// Whether this process decodes what it should.
#pragma once

#include "common/outcome.hpp"

namespace yolod::model::image {

// Decodes one tiny picture of each format, from memory, and compares every pixel. A process calls it after it has given
// up its rights and before it serves, so that a decoder that needs more than is left is found then. It also has the
// libraries do what they do once per process. Takes less than 10 ms. Any thread.
//
// The Error (kInternal) names the format.
[[nodiscard]] common::Outcome<void> self_test();

}  // namespace yolod::model::image
