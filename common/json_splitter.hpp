// Splits the JSON of a request into a short part and its long values.
//
//   {"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[0.5,1]}]}
//
// The values of "data" may have many megabytes. The splitter replaces each of them by its number, so that the rest, the
// skeleton, is short: here "data": 0 . A rule names the keys of such values and their place. The values stay where they
// are in the text, still escaped. The splitter finds the end of a value without reading its numbers or texts. It
// examines the text in steps, so that the front-end's event loop stays free, however long the text is. The bytes come
// from outside, so the caller must parse the skeleton.
//
// The class has many members because a step may end at any byte, so that all its state lies between two steps.
//
// The front-end and the workers use it. Any thread may use an object, one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::common {

class JsonSplitter {
 public:
  // A longer skeleton is refused. A program parses a skeleton of this size in well below 1 ms.
  static constexpr std::size_t kMostSkeletonBytes = 32 * 1024;
  static constexpr std::size_t kMostDepth = 100;
  // The splitter keeps the places of this many strings of a value, and counts the others.
  static constexpr std::size_t kMostStrings = 64;

  enum class End {
    kOfText,    // only blanks may follow the object
    kOfObject,  // any bytes may follow the object
  };
  // Says which values are split off. If a client writes a key with escapes, its value stays in the skeleton, so the
  // caller must check that the skeleton has a number below values().size() there.
  struct Rule {
    std::array<std::string_view, 2> keys;
    // The brackets that are open where a key is: "{[{" is an object in a list of the root.
    std::array<std::string_view, 2> nestings;
    enum class Kind {
      kArray,  // the value must be an array
      kText,   // the value must be a text
      kTexts,  // the value must be a text or a list of texts, and each text is split off
    } kind;
    std::size_t most_values{SIZE_MAX};
    std::string_view complaint{"JSON: "};  // the beginning of each error
  };
  // A tensor of the Open Inference Protocol. The errors begin as Triton's.
  static constexpr Rule kTensors{
      {"data"}, {"{[{"}, Rule::Kind::kArray, SIZE_MAX, "failed to parse the request JSON buffer: "};

  // `json` outlives this object.
  JsonSplitter(std::string_view json, End end, const Rule& rule = kTensors) : json_(json), end_(end), rule_(rule) {}

  // Looks at about `budget_bytes` more of the text. Returns true at the end. An Error has code kBadRequest.
  [[nodiscard]] Outcome<bool> step(std::size_t budget_bytes);

  // ---- after the end ----
  struct Value {
    std::string_view text;  // an array with its brackets, or a text without its quotes
    std::vector<std::string_view>
        strings;  // the first strings of an array, without quotes; all texts are still escaped
    std::uint64_t string_count{0};
  };
  [[nodiscard]] std::string_view skeleton() const { return skeleton_; }
  [[nodiscard]] const std::vector<Value>& values() const { return values_; }
  // Returns the length of the text up to the end of its object.
  [[nodiscard]] std::size_t object_bytes() const { return object_bytes_; }

 private:
  enum class State { kStructure, kString, kBeforeValue, kValue, kValueString, kTextList, kTextValue, kAfterObject };

  void see_structure(char c);
  void see_value(char c);
  void see_text_list(char c);
  void begin_value(char c);
  void begin_text();
  void end_text();
  [[nodiscard]] bool is_key(std::string_view text);
  [[nodiscard]] bool is_in_place() const {
    return !nesting_.empty() && (nesting_ == rule_.nestings[0] || nesting_ == rule_.nestings[1]);
  }
  // Returns whether the rule allows one more value, and makes it.
  [[nodiscard]] bool add_value();
  void keep_number();  // in the place of the last value
  void keep(std::string_view text);
  void stop(std::string why);
  void stop_at_value();  // the value has another type than the rule says

  const std::string_view json_;
  const End end_;
  const Rule rule_;
  State state_{State::kStructure};
  std::size_t at_{0};
  std::size_t string_begin_{0};
  std::size_t value_begin_{0};
  std::size_t value_depth_{0};
  std::size_t object_bytes_{0};
  std::string_view key_;   // the last string that is one of the rule's keys
  bool after_key_{false};  // it is the last token
  bool in_list_{false};    // the text is in a list
  std::string nesting_;    // the brackets that are open
  std::string skeleton_;
  std::vector<Value> values_;
  std::string why_;
};

// Moves `at` from a character of a string in JSON to the quote that ends the string, or past `until` if the quote is
// not before it. The function searches each quote and each backslash once, so that a text of backslashes costs no more
// than other texts.
[[nodiscard]] bool find_string_end(std::string_view json, std::size_t& at, std::size_t until);

}  // namespace yolod::common
