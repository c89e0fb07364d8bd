// Tests the JSON of a request with pictures. The first byte says how much each step may read. The rest is the JSON.
#include "app/api/json_texts.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_input.hpp"

using namespace yolod;
using app::api::JsonTexts;

namespace {

constexpr std::array<std::string_view, 2> kKeys{"image", "images"};
constexpr std::size_t kMostTexts = 5;

struct Split {
  bool is_refused{false};
  std::string skeleton;
  std::vector<std::string_view> texts;

  friend bool operator==(const Split&, const Split&) = default;
};

Split split(std::string_view json, std::size_t budget) {
  JsonTexts texts(json, kKeys, kMostTexts);
  for (std::size_t steps = 0;; ++steps) {
    fuzz::require(steps <= json.size() + 1);
    const auto done = texts.step(budget);
    if (!done) {
      fuzz::require_one_line(done.error(), common::ErrorCode::kBadRequest);
      return {true, {}, {}};
    }
    if (*done) break;
  }
  Split result{false, std::string(texts.skeleton()), {}};
  fuzz::require(texts.text_count() <= kMostTexts && result.skeleton.size() <= JsonTexts::kMostSkeletonBytes);
  for (std::size_t i = 0; i < texts.text_count(); ++i) {
    const auto text = texts.text(std::to_string(i));
    fuzz::require(text.ok());
    const std::string_view view(reinterpret_cast<const char*>(text->data()), text->size());
    fuzz::require(view.data() > json.data() && view.data() + view.size() < json.data() + json.size());
    fuzz::require(view.data()[-1] == '"' && view.data()[view.size()] == '"');
    result.texts.push_back(view);
  }
  fuzz::require(!texts.text(std::to_string(texts.text_count())).ok());
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t budget = 1 + data[0];
  const auto json = fuzz::as_text(data, size).substr(1);
  const Split whole = split(json, json.size() + 1);
  // The size of a step changes nothing.
  fuzz::require(split(json, budget) == whole);
  if (whole.is_refused) return 0;
  // If the JSON is well formed and has no text of a picture, the skeleton is the JSON.
  if (whole.texts.empty()) fuzz::require(whole.skeleton == json);
  boost::json::error_code failure;
  (void)boost::json::parse({whole.skeleton.data(), whole.skeleton.size()}, failure);
  boost::json::error_code failure_of_whole;
  (void)boost::json::parse({json.data(), json.size()}, failure_of_whole);
  // A skeleton is well formed if the JSON is. (A text of a picture may have any bytes.)
  fuzz::require(failure_of_whole.failed() || !failure.failed());
  return 0;
}
