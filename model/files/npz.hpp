// Reads and writes NumPy's .npz files: zip archives of .npy files, with several tensors in one body. It reads the
// uncompressed form of numpy.savez only and refuses numpy.savez_compressed, so that a small body cannot expand in
// memory.
//
// The format is in PKWARE's APPNOTE.TXT, 4.3. Files are written without zip64, because bodies are far below the sizes
// that need it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/domain/tensor.hpp"
#include "common/outcome.hpp"
#include "model/files/npy.hpp"

namespace yolod::model {

using common::NamedTensor;  // its name is the entry's, without ".npy"

[[nodiscard]] bool is_npz(std::string_view bytes);

// Returns the tensors in the archive's order, each name once. Any bytes are safe to pass; it allocates no more memory
// than their size. An Error has code kInvalidParameter.
[[nodiscard]] common::Outcome<std::vector<NamedTensor>> parse_npz(std::string_view bytes);

// Returns the file's bytes. REQUIRES: they are less than 4 GiB.
[[nodiscard]] std::string to_npz(std::span<const NamedTensor> tensors);

}  // namespace yolod::model
