// Finds one part of a multipart/form-data body (RFC 7578, RFC 2046) that is already in memory. No sockets, no copies.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/outcome.hpp"

namespace yolod::app {

// True if the Content-Type header says multipart/form-data.
[[nodiscard]] bool is_multipart(std::string_view content_type);

// The boundary parameter, unquoted; nothing if absent or not what RFC 2046 allows (1 to 70 of its characters).
[[nodiscard]] std::optional<std::string> multipart_boundary(std::string_view content_type);

// The content of the first part whose name is `name`, as a view into `body`. Errors are kBadRequest, with what is
// wrong with the body.
[[nodiscard]] common::Outcome<std::span<const std::byte>> find_part(std::span<const std::byte> body,
                                                                    std::string_view boundary, std::string_view name);

}  // namespace yolod::app
