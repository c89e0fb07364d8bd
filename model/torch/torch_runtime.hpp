// What everything that runs on LibTorch has in common. Includes torch headers: for the few sources that do so anyway.
#pragma once

#include <c10/core/ScalarType.h>

#include <exception>
#include <string>

#include "common/config/model_config.hpp"

namespace yolod::model {

[[nodiscard]] at::ScalarType scalar_type(common::Precision precision);

// Whether what was thrown says that the device's memory has run out. Not only by its type: cuBLAS, cuDNN and the driver
// have words of their own for it.
[[nodiscard]] bool is_out_of_memory(const std::exception& error);

// Exceptions keep their type on their way out of a module: by default LibTorch's interpreter makes one of all of them.
void keep_exception_types();

// The first line of a what() with something in it: LibTorch appends a stack trace. Safe to print.
[[nodiscard]] std::string first_line(const char* what);
// The same of an exception, without the stack trace that LibTorch's carry.
[[nodiscard]] std::string reason_of(const std::exception& error);

}  // namespace yolod::model
