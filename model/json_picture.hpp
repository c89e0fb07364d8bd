// A picture that came in JSON: {"image": "<base64>"}, as clients send it that cannot send bytes. The text may be a data:
// URL (RFC 2397); base64 (RFC 4648) is taken in both alphabets, with line breaks, with or without padding.
//
// Worker only: the bytes are a stranger's, and parsing a long text takes longer than the front-end's event loop has.
// Pure; any thread. Takes less than twice the memory that the text has, however it is nested.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"
#include "model/model.hpp"

namespace yolod::model {

// The picture's bytes. Errors are kBadRequest and say what is wrong with the text.
[[nodiscard]] common::Outcome<std::vector<std::byte>> picture_in_json(std::span<const std::byte> json);

// The picture of an input: its body, or what stands in it, which `unwrapped` then keeps. Errors as above.
[[nodiscard]] common::Outcome<std::span<const std::byte>> picture_of(const Input& input,
                                                                     std::vector<std::byte>& unwrapped);

// Nothing if `text` is not base64.
[[nodiscard]] std::optional<std::vector<std::byte>> decode_base64(std::string_view text);

}  // namespace yolod::model
