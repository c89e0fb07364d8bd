// Has code that everything on LibTorch shares. It includes torch headers, so few source files may include it.
#pragma once

#include <c10/core/ScalarType.h>

#include <exception>
#include <string>

#include "common/config/model_config.hpp"

namespace yolod::model {

[[nodiscard]] at::ScalarType scalar_type(common::Precision precision);

// Returns whether the exception says that the device's memory is exhausted. It checks the text too, because cuBLAS,
// cuDNN and the driver have their own errors for that.
[[nodiscard]] bool is_out_of_memory(const std::exception& error);

// Makes exceptions keep their type when they leave a module. By default LibTorch's interpreter converts all of them
// to one type.
void keep_exception_types();

// Returns the first non-empty line of a what(), because LibTorch appends a stack trace. The result is safe to print.
[[nodiscard]] std::string first_line(const char* what);
// Returns the first line of the exception's text, without LibTorch's stack trace.
[[nodiscard]] std::string reason_of(const std::exception& error);

}  // namespace yolod::model
