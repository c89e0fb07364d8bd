#include "app/api/json_texts.hpp"

#include <algorithm>
#include <utility>

#include "app/api/request_values.hpp"
#include "common/json_splitter.hpp"

namespace yolod::app::api {

using common::Error;
using common::ErrorCode;
using common::Outcome;

namespace {

constexpr char kWantedList = 'w';

Error bad(const std::string& why) { return {ErrorCode::kBadRequest, "JSON: " + why}; }

}  // namespace

Outcome<bool> JsonTexts::step(std::size_t budget_bytes) {
  const std::size_t until = std::min(json_.size(), at_ + std::min(budget_bytes, json_.size()));
  while (at_ < until && why_.empty()) {
    if (state_ == State::kStructure) {
      see(json_[at_++]);
    } else if (common::find_string_end(json_, at_, until)) {
      state_ == State::kText ? end_text() : end_string();
      ++at_;
      state_ = State::kStructure;
    }
  }
  if (!why_.empty()) return bad(why_);
  if (at_ < json_.size()) return false;
  if (state_ != State::kStructure || !nesting_.empty()) return bad("the body ends within its object");
  return true;
}

void JsonTexts::see(char c) {
  switch (c) {
    case '"':
      string_begin_ = at_;
      state_ = is_wanted_ || nesting_.ends_with(kWantedList) ? State::kText : State::kString;
      is_wanted_ = false;
      return;
    case '{':
    case '[':
      if (nesting_.size() == kMostDepth) return stop("it is nested deeper than " + std::to_string(kMostDepth));
      nesting_ += c == '[' && is_wanted_ ? kWantedList : c;
      is_wanted_ = false;
      break;
    case '}':
    case ']':
      if (nesting_.empty() || (nesting_.back() == '{') != (c == '}')) return stop("a bracket does not match");
      nesting_.pop_back();
      break;
    case ':': is_wanted_ = std::find(keys_.begin(), keys_.end(), last_string_) != keys_.end(); break;
    case ',': is_wanted_ = false; break;
    default: break;
  }
  keep({&c, 1});
}

void JsonTexts::end_string() {
  last_string_ = json_.substr(string_begin_, at_ - string_begin_);
  keep(json_.substr(string_begin_ - 1, last_string_.size() + 2));
}

void JsonTexts::end_text() {
  if (texts_.size() == most_texts_) {
    return stop("it has more than " + std::to_string(most_texts_) + (most_texts_ == 1 ? " picture" : " pictures"));
  }
  keep('"' + std::to_string(texts_.size()) + '"');
  texts_.push_back(json_.substr(string_begin_, at_ - string_begin_));
  last_string_ = {};
}

Outcome<std::span<const std::byte>> JsonTexts::text(std::string_view number) const {
  const auto index = parse_whole<std::size_t>(number);
  if (!index || *index >= texts_.size()) return bad("write the key of a picture without escapes");
  return std::as_bytes(std::span<const char>(texts_[*index].data(), texts_[*index].size()));
}

void JsonTexts::keep(std::string_view text) {
  if (skeleton_.size() + text.size() > kMostSkeletonBytes) {
    return stop("it is longer than 32 KiB without its pictures");
  }
  skeleton_ += text;
}

void JsonTexts::stop(std::string why) {
  if (why_.empty()) why_ = std::move(why);
}

}  // namespace yolod::app::api
