// Replaces a frozen module's convolutions and max poolings by this folder's operators. Private to model/.
#pragma once

#include <torch/csrc/jit/api/module.h>

namespace yolod::model::onednn {

class SharedConvolutions;

// REQUIRES: the module runs on the CPU, torch::jit::freeze() was called, and the module has not run yet. Nodes that
// cannot be replaced (computed weights, an unsupported number type) stay unchanged. Set `fuse_sums` only if every sum
// with a convolution's output is with a tensor of the same shape that is not changed in place later. With `shared`,
// it reuses convolutions of other modules (shared_convolutions.hpp). Throws c10::Error and dnnl::error.
void fuse(torch::jit::Module& frozen, bool fuse_sums, SharedConvolutions* shared = nullptr);

}  // namespace yolod::model::onednn
