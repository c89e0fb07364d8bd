#include "app/http/responses.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

#include "app/http/error_status.hpp"

namespace yolod::app {
namespace {

namespace http = boost::beast::http;

std::string json_text(std::string_view text) {
  return boost::json::serialize(boost::json::string(boost::json::string_view(text.data(), text.size())));
}

double in_ms(std::uint32_t us) { return us / 1000.0; }

void append_timing(std::string& out, const Answer& answer, std::uint32_t total_us) {
  fmt::format_to(std::back_inserter(out),
                 R"("timing_ms":{{"queue":{:.3f},"decode":{:.3f},"infer":{:.3f},"post":{:.3f},"total":{:.3f}}})",
                 in_ms(answer.queue_us), in_ms(answer.times.decode_us), in_ms(answer.times.infer_us),
                 in_ms(answer.times.post_us), in_ms(total_us));
}

template <typename List>
void append_image(std::string& out, const List& list, const common::ModelDescription& model) {
  fmt::format_to(std::back_inserter(out), R"("precision":{},"image":{{"width":{},"height":{}}},"predictions":[)",
                 json_text(model.precision), list.image_width, list.image_height);
}

void append(std::string& out, const common::DetectionList& list, const common::ModelDescription& model) {
  append_image(out, list, model);
  const char* separator = "";
  for (const common::Detection& detection : list.detections) {
    // Hundredths of a pixel: far below what a network resolves.
    fmt::format_to(std::back_inserter(out),
                   R"({}{{"label":{},"class_id":{},"confidence":{:.4f},)"
                   R"("box":{{"x_min":{:.2f},"y_min":{:.2f},"x_max":{:.2f},"y_max":{:.2f}}}}})",
                   separator, json_text(model.labels[detection.class_id]), detection.class_id, detection.confidence,
                   detection.box.x_min, detection.box.y_min, detection.box.x_max, detection.box.y_max);
    separator = ",";
  }
  out += "],";
}

void append(std::string& out, const common::ClassificationList& list, const common::ModelDescription& model) {
  append_image(out, list, model);
  const char* separator = "";
  for (const common::Classification& classification : list.classifications) {
    fmt::format_to(std::back_inserter(out), R"({}{{"label":{},"class_id":{},"probability":{:.6f}}})", separator,
                   json_text(model.labels[classification.class_id]), classification.class_id,
                   classification.probability);
    separator = ",";
  }
  out += "],";
}

void append(std::string& out, const common::IdentityAnswer& answer, const common::ModelDescription& /*model*/) {
  fmt::format_to(std::back_inserter(out), R"("bytes":{},"crc32":"{:08x}","worker_pid":{},)", answer.bytes, answer.crc32,
                 answer.worker_pid);
}

std::string_view content_type(common::FileType type) {
  switch (type) {
    case common::FileType::kJpeg: return "image/jpeg";
    case common::FileType::kPng: return "image/png";
    case common::FileType::kNpy: return "application/x-npy";
    case common::FileType::kNpz: return "application/zip";
  }
  return "application/octet-stream";
}

Response make_file(const common::EncodedFile& file) {
  Response response{http::status::ok, 11};
  const auto type = content_type(file.type);
  response.set(http::field::content_type, boost::beast::string_view(type.data(), type.size()));
  response.set("X-Content-Type-Options", "nosniff");
  response.body().assign(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  return response;
}

std::string json_body(std::string_view model, const Answer& answer, std::uint32_t total_us) {
  std::string body = fmt::format(R"({{"success":true,"model":{},)", json_text(model));
  std::visit(
      [&](const auto& prediction) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(prediction)>, common::EncodedFile>) {
          append(body, prediction, *answer.model);
        }
      },
      *answer.prediction);
  append_timing(body, answer, total_us);
  body += '}';
  return body;
}

}  // namespace

Response make_json(http::status status, std::string body) {
  Response response{status, 11};
  response.set(http::field::content_type, "application/json");
  response.body() = std::move(body);
  return response;
}

Response make_error(const common::Error& error, std::uint32_t retry_after_seconds) {
  Response response =
      make_json(http_status(error.code), fmt::format(R"({{"success":false,"error":{{"code":"{}","message":{}}}}})",
                                                     common::to_string(error.code), json_text(client_message(error))));
  if (response.result() == http::status::service_unavailable) {
    response.set(http::field::retry_after, std::to_string(retry_after_seconds));
  }
  return response;
}

Response make_reloaded(const common::Outcome<void>& result) {
  if (result) return make_json(http::status::ok, R"({"success":true})");
  const auto& [code, reason] = result.error();
  if (code != common::ErrorCode::kBadConfig && code != common::ErrorCode::kBadModel) return make_error(result.error());
  return make_json(http::status::internal_server_error,
                   fmt::format(R"({{"success":false,"error":{{"code":"{}","message":{}}}}})",
                               common::to_string(common::ErrorCode::kInternal), json_text(reason)));
}

Response make_prediction(std::string_view model, const Answer& answer, std::uint32_t total_us) {
  const auto* const file = std::get_if<common::EncodedFile>(&*answer.prediction);
  Response response =
      file != nullptr ? make_file(*file) : make_json(http::status::ok, json_body(model, answer, total_us));
  response.set("Server-Timing", fmt::format("queue;dur={:.3f}, decode;dur={:.3f}, infer;dur={:.3f}, post;dur={:.3f}",
                                            in_ms(answer.queue_us), in_ms(answer.times.decode_us),
                                            in_ms(answer.times.infer_us), in_ms(answer.times.post_us)));
  return response;
}

}  // namespace yolod::app
