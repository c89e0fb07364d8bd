// What everything that runs on LibTorch has in common. Includes torch headers: for the few sources that do so anyway.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

#include "common/config.hpp"

namespace yolod::model {

[[nodiscard]] at::ScalarType scalar_type(common::Precision precision);

// The first line of a what() with something in it: LibTorch appends a stack trace. Safe to print.
[[nodiscard]] std::string first_line(const char* what);

// Of this process.
void set_thread_counts(std::uint32_t threads);

}  // namespace yolod::model
