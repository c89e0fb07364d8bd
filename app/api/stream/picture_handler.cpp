#include "app/api/stream/picture_handler.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "app/api/native_error.hpp"
#include "app/api/option_limits.hpp"
#include "app/api/predict/prediction_json.hpp"
#include "common/awake_clock.hpp"

namespace yolod::app::api::stream {
namespace {

using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

// The handler writes this many items of a list as JSON in one turn of the event loop.
constexpr std::size_t kItemsAtOnce = 500;

// Writes what the answer says of the file that follows it.
void write_file_facts(std::string_view model, const schedule::Answer& answer, const common::EncodedFile& file,
                      std::uint32_t total_us, http::TextBuffer& out) {
  out += R"({"success":true,"model":)";
  out.add_json(model);
  out += R"(,"file":{"content_type":")";
  out += predict::content_type_of(file.type);
  out += R"(","bytes":)";
  out.add_whole(file.bytes.size());
  out += R"(},"timing_ms":{"queue":)";
  out.add_ms(answer.queue_us);
  out += R"(,"decode":)";
  out.add_ms(answer.times.decode_us);
  out += R"(,"infer":)";
  out.add_ms(answer.times.infer_us);
  out += R"(,"post":)";
  out.add_ms(answer.times.post_us);
  out += R"(,"total":)";
  out.add_ms(total_us);
  out += "}}";
}

}  // namespace

Outcome<void> PictureHandler::begin(const http::RequestView& request, api::Plan& plan, http::Response& /*response*/) {
  began_ = request.began;
  auto model = models_.find(options_.model);
  if (model == nullptr) return Error{ErrorCode::kUnknownModel, "there is no model of that name"};
  plan.model = std::move(model);
  const common::ModelConfig& config = *plan.model->config;
  // A picture may wait for its turn before the scheduler sees it, so the model's own limit counts from here.
  const auto timeout = std::min(options_.timeout.value_or(config.request_timeout), config.request_timeout);
  plan.urgency = {options_.priority, began_ + timeout};
  return limit_to(config, options_.prediction);
}

Outcome<bool> PictureHandler::ready(std::span<const std::byte> body, std::size_t /*budget_bytes*/, api::Calls& calls) {
  calls.push_back({body, common::ContentKind::kFile, options_.prediction});
  return true;
}

std::uint32_t PictureHandler::elapsed_us() const { return common::elapsed_us(began_, AwakeClock::now()); }

void PictureHandler::write_around(std::string_view answer, http::TextBuffer& out) {
  out += R"({"seq":)";
  out.add_whole(number_);
  if (!options_.id.empty()) {
    out += R"(,"id":)";
    out.add_json(options_.id);
  }
  if (const std::uint64_t dropped = take_dropped_(); dropped != 0) {
    out += R"(,"dropped":)";
    out.add_whole(dropped);
  }
  out += ',';
  out += answer.substr(1);
}

bool PictureHandler::render(const Result& result, http::Response& response) {
  schedule::Answer& answer = result.answers.front();
  if (written_items_) {
    predict::append_items(response.body, answer, *written_items_, kItemsAtOnce);
    *written_items_ += kItemsAtOnce;
    if (*written_items_ < predict::item_count(*answer.prediction)) return false;
    predict::end_prediction(response.body, answer, elapsed_us());
    return true;
  }
  http::Response written;
  response.start(boost::beast::http::status::ok);
  if (auto* const file = std::get_if<common::EncodedFile>(&*answer.prediction)) {
    write_file_facts(result.model, answer, *file, elapsed_us(), written.body);
    response.file = std::move(file->bytes);
  } else {
    predict::begin_prediction(written.body, result.model, answer);
    if (predict::item_count(*answer.prediction) <= kItemsAtOnce) {
      predict::append_items(written.body, answer, 0, kItemsAtOnce);
      predict::end_prediction(written.body, answer, elapsed_us());
    } else {
      written_items_ = 0;
    }
  }
  write_around(written.body.view(), response.body);
  return !written_items_;
}

void PictureHandler::write_error(const Error& error, std::uint32_t retry_after_seconds, http::Response& response) {
  http::Response written;
  api::write_error(written, error, retry_after_seconds);
  response.start(written.status);
  write_around(written.body.view(), response.body);
}

}  // namespace yolod::app::api::stream
