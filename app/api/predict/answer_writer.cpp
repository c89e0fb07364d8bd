#include "app/api/predict/answer_writer.hpp"

#include <algorithm>
#include <variant>

#include "app/api/native_error.hpp"
#include "app/api/predict/prediction_json.hpp"

namespace yolod::app::api::predict {
namespace {

namespace beast_http = boost::beast::http;

// Pictures of one request wait and run side by side, so the longest time of each stage says most about the request.
StageTimes longest_times(const Answers& answers) {
  StageTimes longest;
  for (const schedule::Answer& answer : answers) {
    const StageTimes times = times_of(answer);
    longest.queue_us = std::max(longest.queue_us, times.queue_us);
    longest.work.decode_us = std::max(longest.work.decode_us, times.work.decode_us);
    longest.work.infer_us = std::max(longest.work.infer_us, times.work.infer_us);
    longest.work.post_us = std::max(longest.work.post_us, times.work.post_us);
  }
  return longest;
}

std::uint32_t sum_of(const StageTimes& times) {
  return times.queue_us + times.work.decode_us + times.work.infer_us + times.work.post_us;
}

}  // namespace

bool AnswerWriter::write_some(const Handler::Result& result, bool is_list, std::uint32_t elapsed_us,
                              http::Response& response) {
  if (!has_begun_) {
    has_begun_ = true;
    if (is_list) {
      begin_list(result, response);
    } else if (auto* const file = std::get_if<common::EncodedFile>(&*result.answers.front().prediction)) {
      write_file(response, *file);
      append_server_timing(response.fields, times_of(result.answers.front()));
      return true;
    } else {
      response.start(beast_http::status::ok);
    }
  }
  std::size_t budget = kItemsAtOnce;
  while (answer_ < result.answers.size() && budget != 0) {
    write_one(result, is_list, elapsed_us, budget, response.body);
  }
  if (answer_ < result.answers.size()) return false;
  if (is_list) {
    response.body += R"(],"timing_ms":{"total":)";
    response.body.add_ms(elapsed_us);
    response.body += "}}";
  }
  append_server_timing(response.fields, longest_times(result.answers));
  return true;
}

void AnswerWriter::begin_list(const Handler::Result& result, http::Response& response) const {
  const bool is_answered = std::any_of(result.answers.begin(), result.answers.end(),
                                       [](const schedule::Answer& answer) { return answer.prediction.ok(); });
  response.start(is_answered ? beast_http::status::ok : http_status(result.answers.front().prediction.error().code));
  add_retry_after(response, result.retry_after_seconds);
  response.body += is_answered ? R"({"success":true,"model":)" : R"({"success":false,"model":)";
  response.body.add_json(result.model);
  response.body += R"(,"answers":[)";
}

void AnswerWriter::write_one(const Handler::Result& result, bool is_list, std::uint32_t elapsed_us, std::size_t& budget,
                             http::TextBuffer& out) {
  const schedule::Answer& answer = result.answers[answer_];
  if (!in_answer_) {
    --budget;
    if (answer_ != 0) out += ',';
    if (!answer.prediction) {
      append_failure(out, answer.prediction.error().code, client_message(answer.prediction.error()));
      ++answer_;
      return;
    }
    begin_prediction(out, result.model, answer);
    in_answer_ = true;
    items_ = 0;
  }
  const std::size_t all = item_count(*answer.prediction);
  const std::size_t count = std::min(budget, all - items_);
  append_items(out, answer, items_, count);
  items_ += count;
  budget -= count;
  if (items_ < all) return;
  end_prediction(out, answer, is_list ? sum_of(times_of(answer)) : elapsed_us);
  in_answer_ = false;
  ++answer_;
}

}  // namespace yolod::app::api::predict
