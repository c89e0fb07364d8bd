// yolodctl predict: detections of image files, as a table or JSON, and the pictures with their boxes.
#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "model/image/annotate.hpp"
#include "model/image/decode.hpp"
#include "model/model.hpp"
#include "model/read_file.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model_options.hpp"
#include "tools/yolodctl/passive_threads.hpp"

namespace yolod::tools {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

struct PredictOptions {
  ModelOptions model;
  std::optional<double> confidence;
  std::optional<double> iou;
  bool json{false};
  std::string out;
  std::vector<std::string> images;
};

constexpr std::size_t kMaxImageBytes = std::size_t{1} << 30U;

double rounded(double value, double steps) { return std::round(value * steps) / steps; }

std::string label_of(const common::ModelDescription& model, std::uint32_t class_id) {
  return class_id < model.labels.size() ? model.labels[class_id] : std::to_string(class_id);
}

// As the server answers /predict, and the file's name.
boost::json::object to_json(const std::string& file, const std::string& model_name,
                            const common::ModelDescription& model, const common::DetectionList& list,
                            const common::WorkTimes& times) {
  boost::json::array predictions;
  for (const auto& detection : list.detections) {
    const auto& box = detection.box;
    const auto pixel = [](float value) { return rounded(static_cast<double>(value), 100); };
    predictions.push_back({{"label", label_of(model, detection.class_id)},
                           {"class_id", detection.class_id},
                           {"confidence", rounded(static_cast<double>(detection.confidence), 1e6)},
                           {"box",
                            {{"x_min", pixel(box.x_min)},
                             {"y_min", pixel(box.y_min)},
                             {"x_max", pixel(box.x_max)},
                             {"y_max", pixel(box.y_max)}}}});
  }
  const auto milliseconds = [](std::uint32_t us) { return static_cast<double>(us) / 1000; };
  return {{"success", true},
          {"file", file},
          {"model", model_name},
          {"precision", model.precision},
          {"image", {{"width", list.image_width}, {"height", list.image_height}}},
          {"predictions", std::move(predictions)},
          {"timing_ms",
           {{"queue", 0.0},
            {"decode", milliseconds(times.decode_us)},
            {"infer", milliseconds(times.infer_us)},
            {"post", milliseconds(times.post_us)},
            {"total", milliseconds(times.decode_us + times.infer_us + times.post_us)}}}};
}

boost::json::object to_json(const std::string& file, const Error& error) {
  return {{"success", false},
          {"file", file},
          {"error", {{"code", common::to_string(error.code)}, {"message", error.message}}}};
}

void print_table(const std::string& file, const common::ModelDescription& model, const common::DetectionList& list,
                 const common::WorkTimes& times) {
  std::printf("%s  %u x %u  %zu detection%s  %s, decode %.1f ms, infer %.1f ms, post %.1f ms\n", file.c_str(),
              list.image_width, list.image_height, list.detections.size(), list.detections.size() == 1 ? "" : "s",
              model.precision.c_str(), times.decode_us / 1000.0, times.infer_us / 1000.0, times.post_us / 1000.0);
  if (list.detections.empty()) return;
  std::printf("  %-20s %10s %9s %9s %9s %9s\n", "label", "confidence", "x_min", "y_min", "x_max", "y_max");
  for (const auto& detection : list.detections) {
    const auto& box = detection.box;
    std::printf("  %-20s %10.4f %9.1f %9.1f %9.1f %9.1f\n", label_of(model, detection.class_id).c_str(),
                static_cast<double>(detection.confidence), static_cast<double>(box.x_min),
                static_cast<double>(box.y_min), static_cast<double>(box.x_max), static_cast<double>(box.y_max));
  }
}

// Writes annotated pictures as DIR/STEM.jpg; images of the same stem get -2, -3 and so on.
class PictureWriter {
 public:
  explicit PictureWriter(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Outcome<void> write(const std::string& image, std::span<const std::byte> body, std::uint64_t max_pixels,
                      const common::DetectionList& list, std::span<const std::string> labels) {
    const auto picture = model::image::decode(body, max_pixels);
    if (!picture) return picture.error();
    const auto bytes = model::image::annotate(*picture, list.detections, labels);
    if (!bytes) return bytes.error();
    const auto file = directory_ / free_name(std::filesystem::path(image).stem().string());
    errno = 0;
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream.write(reinterpret_cast<const char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
    stream.flush();
    if (!stream) return common::system_error(file.string(), errno != 0 ? errno : EIO);
    return {};
  }

 private:
  std::string free_name(const std::string& stem) {
    for (int n = 1;; ++n) {
      auto name = (n == 1 ? stem : stem + "-" + std::to_string(n)) + ".jpg";
      if (taken_.insert(name).second) return name;
    }
  }

  std::filesystem::path directory_;
  std::set<std::string> taken_;
};

// What went wrong with one image is told, and the others go on.
struct Answer {
  common::DetectionList list;
  common::WorkTimes times;
};

Outcome<Answer> detect(model::Model& model, std::span<const std::byte> body, const PredictOptions& options) {
  model::Input input{body, {}};
  if (options.confidence) input.options.confidence = static_cast<float>(*options.confidence);
  if (options.iou) input.options.iou = static_cast<float>(*options.iou);
  auto output = std::move(model.run({&input, 1}).front());
  if (!output.prediction) return std::move(output.prediction).error();
  auto* list = std::get_if<common::DetectionList>(&*output.prediction);
  if (list == nullptr) return Error{ErrorCode::kBadConfig, "this model does not detect objects"};
  return Answer{std::move(*list), output.times};
}

int predict(const PredictOptions& options) {
  wait_passively();
  const auto chosen = choose_model(options.model);
  if (!chosen) return report(chosen.error());
  if (std::holds_alternative<common::IdentitySource>(chosen->config.source)) {
    return report({ErrorCode::kBadConfig, chosen->config.name + ": an identity model has no network"});
  }
  if (!options.out.empty()) {
    std::error_code made;
    std::filesystem::create_directories(options.out, made);
    if (made) return report({ErrorCode::kSystem, options.out + ": " + made.message()});
  }
  const auto model = model::load_model(chosen->config, chosen->surroundings);
  if (!model) return report(model.error());
  const auto& description = (*model)->description();

  PictureWriter pictures(options.out);
  int exit_code = 0;
  for (const auto& image : options.images) {
    const auto fail = [&](const Error& error) {
      if (options.json) std::printf("%s\n", boost::json::serialize(to_json(image, error)).c_str());
      std::fprintf(stderr, "yolodctl: %s: %s\n", image.c_str(), error.message.c_str());
      exit_code = 1;
    };
    const auto body = model::read_file(image, kMaxImageBytes);
    if (!body) {
      fail({ErrorCode::kInvalidImage, "cannot be read"});
      continue;
    }
    const auto bytes = std::as_bytes(std::span<const char>(*body));
    const auto answer = detect(**model, bytes, options);
    if (!answer) {
      fail(answer.error());
      continue;
    }
    if (options.json) {
      std::printf("%s\n",
                  boost::json::serialize(to_json(image, chosen->config.name, description, answer->list, answer->times))
                      .c_str());
    } else {
      print_table(image, description, answer->list, answer->times);
    }
    if (options.out.empty()) continue;
    const auto written =
        pictures.write(image, bytes, chosen->config.limits.max_pixels, answer->list, description.labels);
    if (written) continue;
    std::fprintf(stderr, "yolodctl: %s\n", written.error().message.c_str());
    exit_code = 1;
  }
  return exit_code;
}

}  // namespace

void add_predict(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("predict", "detect objects in image files");
  auto options = std::make_shared<PredictOptions>();
  add_model_options(*command, options->model);
  command->add_option("--confidence", options->confidence, "lowest confidence, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("X");
  command->add_option("--iou", options->iou, "largest overlap within a class, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("X");
  command->add_flag("--json", options->json, "one JSON object a line for each image");
  command->add_option("--out", options->out, "write the pictures with their boxes here")->type_name("DIR");
  command->add_option("images", options->images, "image files")->required()->type_name("IMAGE...");
  command->callback([options, &exit_code] { exit_code = predict(*options); });
}

}  // namespace yolod::tools
