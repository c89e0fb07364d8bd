#include "app/api/roboflow/inference_json.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace yolod::app::api::roboflow {
namespace {

// Clients tell answers and objects apart by these ids. They protect nothing, so a fast generator is enough.
void append_id(http::TextBuffer& out) {
  static boost::uuids::random_generator_mt19937 generator;
  constexpr std::size_t kIdBytes = 36;
  char text[kIdBytes];
  boost::uuids::to_chars(generator(), text, text + kIdBytes);
  out += '"';
  out += std::string_view(text, kIdBytes);
  out += '"';
}

void append_pixels(http::TextBuffer& out, std::string_view name, float value) {
  out += name;
  out.add_fixed(value, 2);
}

}  // namespace

void begin_inference(http::TextBuffer& out, const common::DetectionList& list, std::uint32_t total_us) {
  constexpr float kMicroseconds = 1'000'000;
  out += R"({"inference_id":)";
  append_id(out);
  out += R"(,"time":)";
  out.add_fixed(static_cast<float>(total_us) / kMicroseconds, 6);
  out += R"(,"image":{"width":)";
  out.add_whole(list.image_width);
  out += R"(,"height":)";
  out.add_whole(list.image_height);
  out += R"(},"predictions":[)";
}

void append_object(http::TextBuffer& out, const common::Detection& detection, std::string_view label) {
  const common::Box& box = detection.box;
  append_pixels(out, R"({"x":)", (box.x_min + box.x_max) / 2);
  append_pixels(out, R"(,"y":)", (box.y_min + box.y_max) / 2);
  append_pixels(out, R"(,"width":)", box.x_max - box.x_min);
  append_pixels(out, R"(,"height":)", box.y_max - box.y_min);
  out += R"(,"confidence":)";
  out.add_fixed(detection.confidence, 4);
  out += R"(,"class":)";
  out.add_json(label);
  out += R"(,"class_id":)";
  out.add_whole(detection.class_id);
  out += R"(,"detection_id":)";
  append_id(out);
  out += '}';
}

void end_inference(http::TextBuffer& out) { out += "]}"; }

}  // namespace yolod::app::api::roboflow
