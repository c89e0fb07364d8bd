// Rewrites a frozen module's convolutions and max poolings to this folder's. Private to model/.
#pragma once

#include <torch/csrc/jit/api/module.h>

namespace yolod::model::onednn {

class SharedConvolutions;

// For a module that runs on the CPU, after torch::jit::freeze() and before its first run. What cannot be rewritten
// (weights that are computed, a number type that is not served) stays as it is. `fuse_sums` only where every sum of a
// convolution's output is with a tensor of the same shape that nothing changes in place afterwards. With `shared`,
// convolutions that another module has already (shared_convolutions.hpp) are taken from there. Throws c10::Error and
// dnnl::error.
void fuse(torch::jit::Module& frozen, bool fuse_sums, SharedConvolutions* shared = nullptr);

}  // namespace yolod::model::onednn
