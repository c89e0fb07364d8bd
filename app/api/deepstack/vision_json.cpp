#include "app/api/deepstack/vision_json.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>
#include <vector>

#include "app/http/http_date.hpp"

namespace yolod::app::api::deepstack {
namespace {

namespace beast_http = boost::beast::http;

// A prediction takes about this many bytes as JSON. The memory is reserved at once, because a text that grows is
// copied.
constexpr std::size_t kItemBytes = 128;

std::uint32_t whole_ms(std::uint32_t us) { return (us + 500) / 1000; }

// Returns the pixel as a whole number from 0 to `size`.
std::uint32_t whole_pixel(float value, std::uint32_t size) {
  if (!(value > 0)) return 0;
  return static_cast<std::uint32_t>(std::min(std::lround(value), static_cast<long>(size)));
}

void append_number(http::TextBuffer& out, std::string_view name, std::uint64_t value) {
  out += ",\"";
  out += name;
  out += "\":";
  out.add_whole(value);
}

// Appends the keys that every answer of CodeProject.AI has, and the end of the object.
void end_answer(http::Response& response, const schedule::Answer& answer, std::string_view command,
                std::uint32_t total_us) {
  http::TextBuffer& out = response.body;
  const bool uses_gpu = answer.model->device != "cpu";
  append_number(out, "code", 200);
  append_number(out, "duration", whole_ms(total_us));
  append_number(out, "inferenceMs", whole_ms(answer.times.infer_us));
  append_number(out, "processMs", whole_ms(answer.times.decode_us + answer.times.infer_us + answer.times.post_us));
  append_number(out, "analysisRoundTripMs", whole_ms(total_us));
  out += R"(,"moduleId":"yolod","moduleName":"yolod","command":")";
  out += command;
  out += R"(","executionProvider":")";
  out += uses_gpu ? std::string_view("CUDA") : std::string_view("CPU");
  out += R"(","canUseGPU":)";
  out += uses_gpu ? std::string_view("true") : std::string_view("false");
  out += R"(,"processedBy":"localhost","timestampUTC":")";
  http::HttpDate date;
  out += date.at(std::time(nullptr));
  out += "\"}";
}

void append(http::TextBuffer& out, const common::Detection& detection, const common::DetectionList& list,
            const common::ModelDescription& model) {
  out += R"({"confidence":)";
  out.add_fixed(detection.confidence, 4);
  out += R"(,"label":)";
  out.add_json(model.labels[detection.class_id]);
  append_number(out, "x_min", whole_pixel(detection.box.x_min, list.image_width));
  append_number(out, "y_min", whole_pixel(detection.box.y_min, list.image_height));
  append_number(out, "x_max", whole_pixel(detection.box.x_max, list.image_width));
  append_number(out, "y_max", whole_pixel(detection.box.y_max, list.image_height));
  out += '}';
}

// Returns "Found person, car" with each label once, or "No objects found".
std::string message_of(const common::DetectionList& list, const common::ModelDescription& model) {
  std::vector<std::uint32_t> classes;
  std::string text;
  for (const auto& detection : list.detections) {
    if (std::find(classes.begin(), classes.end(), detection.class_id) != classes.end()) continue;
    classes.push_back(detection.class_id);
    text += (text.empty() ? "Found " : ", ") + model.labels[detection.class_id];
  }
  return text.empty() ? "No objects found" : text;
}

// Returns the number of 4 bytes at this offset of a PNG's header, or 0 if the file has no such byte. The bytes are a
// worker's, so they may be anything.
std::uint32_t png_number(const common::EncodedFile& file, std::size_t at) {
  if (file.bytes.size() < at + 4) return 0;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<std::uint32_t>(file.bytes[at + i]);
  return value;
}

}  // namespace

void write_detections(http::Response& response, const common::DetectionList& list, const schedule::Answer& answer,
                      std::uint32_t total_us) {
  response.start(beast_http::status::ok);
  http::TextBuffer& out = response.body;
  out.reserve(kItemBytes * (list.detections.size() + 4));
  out += R"({"success":true,"message":)";
  out.add_json(message_of(list, *answer.model));
  append_number(out, "count", list.detections.size());
  out += R"(,"predictions":[)";
  bool is_first = true;
  for (const auto& detection : list.detections) {
    if (!is_first) out += ',';
    is_first = false;
    append(out, detection, list, *answer.model);
  }
  out += ']';
  end_answer(response, answer, "detect", total_us);
}

void write_scene(http::Response& response, const common::ClassificationList& list, const schedule::Answer& answer,
                 std::uint32_t total_us) {
  response.start(beast_http::status::ok);
  http::TextBuffer& out = response.body;
  const bool is_empty = list.classifications.empty();
  out += R"({"success":true,"label":)";
  out.add_json(is_empty ? std::string_view("unknown")
                        : std::string_view(answer.model->labels[list.classifications.front().class_id]));
  out += R"(,"confidence":)";
  out.add_fixed(is_empty ? 0 : list.classifications.front().probability, 4);
  end_answer(response, answer, "scene", total_us);
}

void begin_picture(http::Response& response, const common::EncodedFile& file) {
  response.start(beast_http::status::ok);
  response.body.reserve(file.bytes.size() / 3 * 4 + 512);
  response.body += R"({"success":true,"base64":")";
}

void end_picture(http::Response& response, const common::EncodedFile& file, const schedule::Answer& answer,
                 std::uint32_t total_us) {
  constexpr std::size_t kWidthAt = 16;
  constexpr std::size_t kHeightAt = 20;
  response.body += '"';
  append_number(response.body, "width", png_number(file, kWidthAt));
  append_number(response.body, "height", png_number(file, kHeightAt));
  end_answer(response, answer, "enhance", total_us);
}

}  // namespace yolod::app::api::deepstack
