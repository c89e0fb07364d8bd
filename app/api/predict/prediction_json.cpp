#include "app/api/predict/prediction_json.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

namespace yolod::app::api::predict {
namespace {

namespace beast_http = boost::beast::http;

// An item of a list takes about this many bytes as JSON, with a label of usual length. The memory is reserved at
// once, because a text that grows is copied.
constexpr std::size_t kItemBytes = 160;

void append_timing(http::TextBuffer& out, const StageTimes& times, std::uint32_t total_us) {
  out += R"("timing_ms":{"queue":)";
  out.add_ms(times.queue_us);
  out += R"(,"decode":)";
  out.add_ms(times.work.decode_us);
  out += R"(,"infer":)";
  out.add_ms(times.work.infer_us);
  out += R"(,"post":)";
  out.add_ms(times.work.post_us);
  out += R"(,"total":)";
  out.add_ms(total_us);
  out += '}';
}

template <typename List>
void append_image(http::TextBuffer& out, const List& list, const common::ModelDescription& model) {
  out += R"("precision":)";
  out.add_json(model.precision);
  out += R"(,"image":{"width":)";
  out.add_whole(list.image_width);
  out += R"(,"height":)";
  out.add_whole(list.image_height);
  out += R"(},"predictions":[)";
}

// Writes the beginning of an item.
void append_label(http::TextBuffer& out, std::uint32_t class_id, const common::ModelDescription& model) {
  out += R"({"label":)";
  out.add_json(model.labels[class_id]);
  out += R"(,"class_id":)";
  out.add_whole(class_id);
}

// The precision is a hundredth of a pixel, which is much finer than a network's.
void append_pixels(http::TextBuffer& out, std::string_view name, float value) {
  out += name;
  out.add_fixed(value, 2);
}

void append(http::TextBuffer& out, const common::Detection& detection, const common::ModelDescription& model) {
  append_label(out, detection.class_id, model);
  out += R"(,"confidence":)";
  out.add_fixed(detection.confidence, 4);
  append_pixels(out, R"(,"box":{"x_min":)", detection.box.x_min);
  append_pixels(out, R"(,"y_min":)", detection.box.y_min);
  append_pixels(out, R"(,"x_max":)", detection.box.x_max);
  append_pixels(out, R"(,"y_max":)", detection.box.y_max);
  out += "}}";
}

void append(http::TextBuffer& out, const common::Classification& classification,
            const common::ModelDescription& model) {
  append_label(out, classification.class_id, model);
  out += R"(,"probability":)";
  out.add_fixed(classification.probability, 6);
  out += '}';
}

template <typename Item>
void append_range(http::TextBuffer& out, const std::vector<Item>& items, std::size_t from, std::size_t count,
                  const common::ModelDescription& model) {
  const std::size_t end = from + std::min(count, items.size() - std::min(from, items.size()));
  for (std::size_t i = from; i < end; ++i) {
    if (i != 0) out += ',';
    append(out, items[i], model);
  }
}

void append(http::TextBuffer& out, const common::IdentityAnswer& answer) {
  out += R"("bytes":)";
  out.add_whole(answer.bytes);
  out += R"(,"crc32":")";
  out.add_hex(answer.crc32, 8);
  out += R"(","worker_pid":)";
  out.add_whole(answer.worker_pid);
  out += ',';
}

}  // namespace

std::string_view content_type_of(common::FileType type) {
  switch (type) {
    case common::FileType::kJpeg: return "image/jpeg";
    case common::FileType::kPng: return "image/png";
    case common::FileType::kNpy: return "application/x-npy";
    case common::FileType::kNpz: return "application/zip";
  }
  return "application/octet-stream";
}

void write_file(http::Response& response, common::EncodedFile& file) {
  response.start(beast_http::status::ok, content_type_of(file.type));
  http::add_field(response, "X-Content-Type-Options", "nosniff");
  response.file = std::move(file.bytes);
}

StageTimes times_of(const schedule::Answer& answer) { return {answer.queue_us, answer.times}; }

void append_server_timing(http::TextBuffer& fields, const StageTimes& times) {
  fields += "Server-Timing: queue;dur=";
  fields.add_ms(times.queue_us);
  fields += ", decode;dur=";
  fields.add_ms(times.work.decode_us);
  fields += ", infer;dur=";
  fields.add_ms(times.work.infer_us);
  fields += ", post;dur=";
  fields.add_ms(times.work.post_us);
  fields += "\r\n";
}

std::size_t item_count(const common::Prediction& prediction) {
  if (const auto* const list = std::get_if<common::DetectionList>(&prediction)) return list->detections.size();
  if (const auto* const list = std::get_if<common::ClassificationList>(&prediction)) {
    return list->classifications.size();
  }
  return 0;
}

void begin_prediction(http::TextBuffer& out, std::string_view model, const schedule::Answer& answer) {
  out.reserve(out.size() + kItemBytes * item_count(*answer.prediction));
  out += R"({"success":true,"model":)";
  out.add_json(model);
  out += ',';
  std::visit(
      [&](const auto& prediction) {
        using Kind = std::decay_t<decltype(prediction)>;
        if constexpr (std::is_same_v<Kind, common::IdentityAnswer>) {
          append(out, prediction);
        } else if constexpr (std::is_same_v<Kind, common::DetectionList> ||
                             std::is_same_v<Kind, common::ClassificationList>) {
          append_image(out, prediction, *answer.model);
        }
      },
      *answer.prediction);
}

void append_items(http::TextBuffer& out, const schedule::Answer& answer, std::size_t from, std::size_t count) {
  if (const auto* const list = std::get_if<common::DetectionList>(&*answer.prediction)) {
    append_range(out, list->detections, from, count, *answer.model);
  } else if (const auto* const classes = std::get_if<common::ClassificationList>(&*answer.prediction)) {
    append_range(out, classes->classifications, from, count, *answer.model);
  }
}

void end_prediction(http::TextBuffer& out, const schedule::Answer& answer, std::uint32_t total_us) {
  if (!std::holds_alternative<common::IdentityAnswer>(*answer.prediction)) out += "],";
  append_timing(out, times_of(answer), total_us);
  out += '}';
}

}  // namespace yolod::app::api::predict
