// Tests the JSON of a request with pictures. The first byte says how much each step may read. The rest is the JSON.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "tests/fuzz/fuzz_target.hpp"
#include "tests/fuzz/json_split.hpp"

using namespace yolod;
using common::JsonSplitter;

namespace {

constexpr JsonSplitter::Rule kRule{{"image", "images"}, {"{"}, JsonSplitter::Rule::Kind::kTexts, 5};

[[nodiscard]] bool is_well_formed(std::string_view json) {
  boost::json::error_code failure;
  (void)boost::json::parse({json.data(), json.size()}, failure);
  return !failure.failed();
}

}  // namespace

YOLOD_FUZZ_TARGET(json_texts) {
  if (size == 0) return 0;
  const std::size_t budget = 1 + data[0];
  const auto json = fuzz::as_text(data, size).substr(1);
  const auto split = fuzz::split_by(kRule, json, budget);
  if (!split) return 0;
  for (const auto& value : split->values()) {
    fuzz::require(value.text.data()[-1] == '"' && value.text.data()[value.text.size()] == '"');
  }
  const auto object = json.substr(0, split->object_bytes());
  if (split->values().empty()) fuzz::require(split->skeleton() == object);
  // A skeleton is well formed if the JSON is. (A text of a picture may have any bytes.)
  if (is_well_formed(object)) fuzz::require(is_well_formed(split->skeleton()));
  return 0;
}
