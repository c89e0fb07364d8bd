#include "app/http/responses.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "app/http/error_status.hpp"
#include "common/text.hpp"

namespace yolod::app {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kJson = "application/json";
// What a member of a list takes as JSON, with a label of usual length. Reserved at once: a text that grows is copied.
constexpr std::size_t kItemBytes = 160;

void begin(Response& response, http::status status, std::string_view content_type) {
  response.status = status;
  response.content_type = content_type;
  response.fields.clear();
  response.body.clear();
  response.file.clear();
}

void append_timing(TextBuffer& out, const Answer& answer, std::uint32_t total_us) {
  out += R"("timing_ms":{"queue":)";
  out.add_ms(answer.queue_us);
  out += R"(,"decode":)";
  out.add_ms(answer.times.decode_us);
  out += R"(,"infer":)";
  out.add_ms(answer.times.infer_us);
  out += R"(,"post":)";
  out.add_ms(answer.times.post_us);
  out += R"(,"total":)";
  out.add_ms(total_us);
  out += '}';
}

template <typename List>
void append_image(TextBuffer& out, const List& list, const common::ModelDescription& model) {
  out += R"("precision":)";
  out.add_json(model.precision);
  out += R"(,"image":{"width":)";
  out.add_whole(list.image_width);
  out += R"(,"height":)";
  out.add_whole(list.image_height);
  out += R"(},"predictions":[)";
}

// What each member of a list begins with.
void append_label(TextBuffer& out, std::uint32_t class_id, const common::ModelDescription& model) {
  out += R"({"label":)";
  out.add_json(model.labels[class_id]);
  out += R"(,"class_id":)";
  out.add_whole(class_id);
}

// Hundredths of a pixel: far below what a network resolves.
void append_pixels(TextBuffer& out, std::string_view name, float value) {
  out += name;
  out.add_fixed(value, 2);
}

void append(TextBuffer& out, const common::Detection& detection, const common::ModelDescription& model) {
  append_label(out, detection.class_id, model);
  out += R"(,"confidence":)";
  out.add_fixed(detection.confidence, 4);
  append_pixels(out, R"(,"box":{"x_min":)", detection.box.x_min);
  append_pixels(out, R"(,"y_min":)", detection.box.y_min);
  append_pixels(out, R"(,"x_max":)", detection.box.x_max);
  append_pixels(out, R"(,"y_max":)", detection.box.y_max);
  out += "}}";
}

void append(TextBuffer& out, const common::Classification& classification, const common::ModelDescription& model) {
  append_label(out, classification.class_id, model);
  out += R"(,"probability":)";
  out.add_fixed(classification.probability, 6);
  out += '}';
}

template <typename Item>
void append_range(TextBuffer& out, const std::vector<Item>& items, std::size_t from, std::size_t count,
                  const common::ModelDescription& model) {
  const std::size_t end = from + std::min(count, items.size() - std::min(from, items.size()));
  for (std::size_t i = from; i < end; ++i) {
    if (i != 0) out += ',';
    append(out, items[i], model);
  }
}

void append(TextBuffer& out, const common::IdentityAnswer& answer) {
  out += R"("bytes":)";
  out.add_whole(answer.bytes);
  out += R"(,"crc32":")";
  out.add_hex(answer.crc32, 8);
  out += R"(","worker_pid":)";
  out.add_whole(answer.worker_pid);
  out += ',';
}

std::string_view content_type_of(common::FileType type) {
  switch (type) {
    case common::FileType::kJpeg: return "image/jpeg";
    case common::FileType::kPng: return "image/png";
    case common::FileType::kNpy: return "application/x-npy";
    case common::FileType::kNpz: return "application/zip";
  }
  return "application/octet-stream";
}

void write_file(Response& response, common::EncodedFile& file) {
  begin(response, http::status::ok, content_type_of(file.type));
  add_field(response, "X-Content-Type-Options", "nosniff");
  response.file = std::move(file.bytes);
}

void append_server_timing(TextBuffer& out, const Answer& answer) {
  out += "Server-Timing: queue;dur=";
  out.add_ms(answer.queue_us);
  out += ", decode;dur=";
  out.add_ms(answer.times.decode_us);
  out += ", infer;dur=";
  out.add_ms(answer.times.infer_us);
  out += ", post;dur=";
  out.add_ms(answer.times.post_us);
  out += "\r\n";
}

void write_failure(Response& response, http::status status, common::ErrorCode code, std::string_view message) {
  begin(response, status, kJson);
  response.body += R"({"success":false,"error":{"code":")";
  response.body += common::to_string(code);
  response.body += R"(","message":)";
  response.body.add_json(common::as_utf8(message));  // it may hold what a client sent, or a file's name
  response.body += "}}";
}

}  // namespace

void write_json(Response& response, http::status status, std::string_view body) {
  begin(response, status, kJson);
  response.body += body;
}

void write_text(Response& response, std::string_view content_type, std::string_view body) {
  begin(response, http::status::ok, content_type);
  response.body += body;
}

void write_error(Response& response, const common::Error& error, std::uint32_t retry_after_seconds) {
  const auto status = http_status(error.code);
  write_failure(response, status, error.code, client_message(error));
  if (status != http::status::service_unavailable) return;
  response.fields += "Retry-After: ";
  response.fields.add_whole(retry_after_seconds);
  response.fields += "\r\n";
}

void write_reloaded(Response& response, const common::Outcome<void>& result) {
  if (result) return write_json(response, http::status::ok, R"({"success":true})");
  const auto& [code, reason] = result.error();
  if (code != common::ErrorCode::kBadConfig && code != common::ErrorCode::kBadModel) {
    return write_error(response, result.error());
  }
  write_failure(response, http::status::internal_server_error, common::ErrorCode::kInternal, reason);
}

std::size_t item_count(const common::Prediction& prediction) {
  if (const auto* const list = std::get_if<common::DetectionList>(&prediction)) return list->detections.size();
  if (const auto* const list = std::get_if<common::ClassificationList>(&prediction)) {
    return list->classifications.size();
  }
  return 0;
}

void begin_prediction(Response& response, std::string_view model, const Answer& answer) {
  begin(response, http::status::ok, kJson);
  TextBuffer& out = response.body;
  out.reserve(kItemBytes * item_count(*answer.prediction));
  out += R"({"success":true,"model":)";
  out.add_json(model);
  out += ',';
  std::visit(
      [&](const auto& prediction) {
        using Kind = std::decay_t<decltype(prediction)>;
        if constexpr (std::is_same_v<Kind, common::IdentityAnswer>) {
          append(out, prediction);
        } else if constexpr (!std::is_same_v<Kind, common::EncodedFile>) {
          append_image(out, prediction, *answer.model);
        }
      },
      *answer.prediction);
}

void append_items(Response& response, const Answer& answer, std::size_t from, std::size_t count) {
  if (const auto* const list = std::get_if<common::DetectionList>(&*answer.prediction)) {
    append_range(response.body, list->detections, from, count, *answer.model);
  } else if (const auto* const classes = std::get_if<common::ClassificationList>(&*answer.prediction)) {
    append_range(response.body, classes->classifications, from, count, *answer.model);
  }
}

void end_prediction(Response& response, const Answer& answer, std::uint32_t total_us) {
  if (!std::holds_alternative<common::IdentityAnswer>(*answer.prediction)) response.body += "],";
  append_timing(response.body, answer, total_us);
  response.body += '}';
  append_server_timing(response.fields, answer);
}

void write_prediction(Response& response, std::string_view model, Answer& answer, std::uint32_t total_us) {
  if (auto* const file = std::get_if<common::EncodedFile>(&*answer.prediction)) {
    write_file(response, *file);
    append_server_timing(response.fields, answer);
    return;
  }
  begin_prediction(response, model, answer);
  append_items(response, answer, 0, item_count(*answer.prediction));
  end_prediction(response, answer, total_us);
}

void add_field(Response& response, std::string_view name, std::string_view value) {
  response.fields += name;
  response.fields += ": ";
  response.fields += value;
  response.fields += "\r\n";
}

void append_head(TextBuffer& out, const Response& response, const HeadSettings& settings) {
  out += settings.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out.add_whole(static_cast<unsigned>(response.status));
  out += ' ';
  const auto reason = http::obsolete_reason(response.status);
  out += std::string_view(reason.data(), reason.size());
  out += "\r\nContent-Type: ";
  out += response.content_type;
  out += "\r\n";
  out += response.fields.view();
  if (settings.version == 10 && settings.keep_alive) out += "Connection: keep-alive\r\n";
  if (settings.version != 10 && !settings.keep_alive) out += "Connection: close\r\n";
  out += "Date: ";
  out += settings.date;
  out += "\r\nX-Request-Id: ";
  out += settings.request_id;
  out += "\r\nContent-Length: ";
  out.add_whole(response.content().size());
  out += "\r\n\r\n";
}

}  // namespace yolod::app
