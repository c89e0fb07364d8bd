// Tests a form: the first line is the Content-Type header, and the rest is the body. The body is read as a form with
// one picture, and as a form with several pictures and options, in one step and in many.
#include "app/http/multipart.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;
using Bytes = std::span<const std::byte>;

namespace {

constexpr std::array<std::string_view, 2> kFields{"confidence", "model"};

struct Form {
  bool is_refused{false};
  std::vector<Bytes> parts;
  std::vector<std::optional<std::string_view>> fields;
};

bool is_within(const std::byte* begin, std::size_t count, Bytes body) {
  return count == 0 || (begin >= body.data() && begin + count <= body.data() + body.size());
}

Form read(Bytes body, std::string_view boundary, bool is_lenient, std::size_t budget) {
  constexpr std::size_t kMostParts = 5;
  app::http::MultipartScanner scanner(
      body, boundary, {.name = "image", .most_parts = kMostParts, .fields = kFields, .is_lenient = is_lenient});
  for (std::size_t steps = 0; !scanner.step(budget); ++steps) fuzz::require(steps <= 2 * body.size() + 2);
  if (!scanner.result()) {
    fuzz::require_one_line(scanner.result().error(), common::ErrorCode::kBadRequest);
    return {true, {}, {}};
  }
  Form form{false, {scanner.parts().begin(), scanner.parts().end()}, {}};
  fuzz::require(!form.parts.empty() && form.parts.size() <= kMostParts);
  for (const Bytes part : form.parts) fuzz::require(is_within(part.data(), part.size(), body));
  for (const std::string_view name : kFields) {
    const auto field = scanner.field(name);
    if (field) {
      fuzz::require(field->size() <= app::http::MultipartScanner::kLongestField);
      fuzz::require(is_within(reinterpret_cast<const std::byte*>(field->data()), field->size(), body));
    }
    form.fields.push_back(field);
  }
  return form;
}

bool are_same(const Form& a, const Form& b) {
  return a.is_refused == b.is_refused && a.fields == b.fields &&
         std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(),
                    [](Bytes one, Bytes other) { return one.data() == other.data() && one.size() == other.size(); });
}

}  // namespace

YOLOD_FUZZ_TARGET(multipart) {
  const auto text = fuzz::as_text(data, size);
  const auto line_end = std::min(text.find('\n'), text.size());
  const auto content_type = text.substr(0, line_end);
  const auto body = text.substr(std::min(line_end + 1, text.size()));
  (void)app::http::is_multipart(content_type);
  const auto boundary = app::http::multipart_boundary(content_type);
  if (!boundary) return 0;
  const auto bytes = std::as_bytes(std::span(body.data(), body.size()));
  for (const bool is_lenient : {false, true}) {
    const Form form = read(bytes, *boundary, is_lenient, bytes.size() + 1);
    // The size of a step changes nothing.
    fuzz::require(are_same(form, read(bytes, *boundary, is_lenient, 7)));
  }
  const auto part = app::http::find_part(bytes, *boundary, "image");
  if (!part) {
    fuzz::require_one_line(part.error(), common::ErrorCode::kBadRequest);
    return 0;
  }
  fuzz::require(part->empty() ||
                (part->data() >= bytes.data() && part->data() + part->size() <= bytes.data() + bytes.size()));
  return 0;
}
