// Takes the long texts out of the JSON of a request, such as pictures in base64:
//
//   {"images":["/9j/4AAQ...","iVBORw0..."],"confidence":0.5}
//
// A text is the value of a wanted key, or an element of a list that is such a value, at any depth. Each is replaced by
// a text with its number, so that the rest, the skeleton, is short: here {"images":["0","1"],"confidence":0.5}. The
// texts stay where they are in the body, still escaped; a worker decodes them (ContentKind::kBase64). They are examined
// in steps, so that the event loop stays free, however long they are.
//
// A handler owns it and uses it on the front-end's only thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::app::api {

class JsonTexts {
 public:
  // A longer skeleton is refused. A program parses a skeleton of this size in well below 1 ms.
  static constexpr std::size_t kMostSkeletonBytes = 32 * 1024;
  static constexpr std::size_t kMostDepth = 32;

  // `json` and `keys` outlive this object. A request with more than `most_texts` texts is refused.
  JsonTexts(std::string_view json, std::span<const std::string_view> keys, std::size_t most_texts)
      : json_(json), keys_(keys), most_texts_(most_texts) {}

  // Looks at about `budget_bytes` more of the JSON. Returns true at the end. An Error has code kBadRequest. The result
  // does not say that the skeleton is valid JSON.
  [[nodiscard]] common::Outcome<bool> step(std::size_t budget_bytes);

  // ---- after the end ----
  [[nodiscard]] std::string_view skeleton() const { return skeleton_; }
  [[nodiscard]] std::size_t text_count() const { return texts_.size(); }
  // Returns the text for which the skeleton has `number`, without its quotes. An Error means that the client wrote the
  // key with escapes, so that the text is in the skeleton.
  [[nodiscard]] common::Outcome<std::span<const std::byte>> text(std::string_view number) const;

 private:
  enum class State { kStructure, kString, kText };

  void see(char c);
  void end_string();
  void end_text();
  void keep(std::string_view text);
  void stop(std::string why);
  // Moves to the end of the string, or to `until`. Returns true at the end of the string.

  const std::string_view json_;
  const std::span<const std::string_view> keys_;
  const std::size_t most_texts_;
  State state_{State::kStructure};
  std::size_t at_{0};
  std::size_t string_begin_{0};
  std::string_view last_string_;  // before a colon this is a key
  bool is_wanted_{false};         // the next value belongs to a wanted key
  std::string nesting_;           // the brackets that are open; 'w' is the list of a wanted key
  std::string skeleton_;
  std::vector<std::string_view> texts_;
  std::string why_;
};

}  // namespace yolod::app::api
