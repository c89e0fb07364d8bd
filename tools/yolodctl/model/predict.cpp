// yolodctl predict runs a model on image files. It prints its answers as a table or JSON, and writes pictures with
// boxes, or the pictures that the model makes.
#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "common/domain/task.hpp"
#include "common/system/unfinished_file.hpp"
#include "common/text.hpp"
#include "model/files/read_file.hpp"
#include "model/image/codec/annotate.hpp"
#include "model/image/codec/decode.hpp"
#include "model/load/load_model.hpp"
#include "model/model.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model/json_line.hpp"
#include "tools/yolodctl/model/model_options.hpp"

namespace yolod::tools {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

struct PredictOptions {
  ModelOptions model;
  std::optional<double> confidence;
  std::optional<double> iou;
  std::optional<std::uint32_t> top_k;
  bool json{false};
  std::string out;
  std::vector<std::string> images;
};

double rounded(double value, double steps) { return std::round(value * steps) / steps; }

std::string label_of(const common::ModelDescription& model, std::uint32_t class_id) {
  return class_id < model.labels.size() ? model.labels[class_id] : std::to_string(class_id);
}

boost::json::array predictions_of(const common::ModelDescription& model, const common::DetectionList& list) {
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
  return predictions;
}

boost::json::array predictions_of(const common::ModelDescription& model, const common::ClassificationList& list) {
  boost::json::array predictions;
  for (const auto& classification : list.classifications) {
    predictions.push_back({{"label", label_of(model, classification.class_id)},
                           {"class_id", classification.class_id},
                           {"probability", rounded(static_cast<double>(classification.probability), 1e6)}});
  }
  return predictions;
}

// Returns the same JSON as the server's answer to /predict, with the file's name.
template <typename List>
boost::json::object to_json(const std::string& file, const std::string& model_name,
                            const common::ModelDescription& model, const List& list, const common::WorkTimes& times) {
  const auto milliseconds = [](std::uint32_t us) { return static_cast<double>(us) / 1000; };
  return {{"success", true},
          {"file", file},
          {"model", model_name},
          {"precision", model.precision},
          {"image", {{"width", list.image_width}, {"height", list.image_height}}},
          {"predictions", predictions_of(model, list)},
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

void print_heading(const std::string& file, const common::ModelDescription& model, std::uint32_t width,
                   std::uint32_t height, const std::string& what, const common::WorkTimes& times) {
  std::printf("%s  %u x %u  %s  %s, decode %.1f ms, infer %.1f ms, post %.1f ms\n", common::printable(file).c_str(),
              width, height, what.c_str(), model.precision.c_str(), times.decode_us / 1000.0, times.infer_us / 1000.0,
              times.post_us / 1000.0);
}

void print_table(const std::string& file, const common::ModelDescription& model, const common::DetectionList& list,
                 const common::WorkTimes& times) {
  const auto count = list.detections.size();
  print_heading(file, model, list.image_width, list.image_height,
                std::to_string(count) + (count == 1 ? " detection" : " detections"), times);
  if (list.detections.empty()) return;
  std::printf("  %-20s %10s %9s %9s %9s %9s\n", "label", "confidence", "x_min", "y_min", "x_max", "y_max");
  for (const auto& detection : list.detections) {
    const auto& box = detection.box;
    std::printf("  %-20s %10.4f %9.1f %9.1f %9.1f %9.1f\n",
                common::printable(label_of(model, detection.class_id)).c_str(),
                static_cast<double>(detection.confidence), static_cast<double>(box.x_min),
                static_cast<double>(box.y_min), static_cast<double>(box.x_max), static_cast<double>(box.y_max));
  }
}

void print_table(const std::string& file, const common::ModelDescription& model, const common::ClassificationList& list,
                 const common::WorkTimes& times) {
  print_heading(file, model, list.image_width, list.image_height,
                "the " + std::to_string(list.classifications.size()) + " most probable", times);
  std::printf("  %-40s %11s\n", "label", "probability");
  for (const auto& classification : list.classifications) {
    std::printf("  %-40s %11.6f\n", common::printable(label_of(model, classification.class_id)).c_str(),
                static_cast<double>(classification.probability));
  }
}

// Writes pictures as DIR/STEM.jpg; further images with the same stem get -2, -3 and so on.
class PictureWriter {
 public:
  explicit PictureWriter(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Returns the path of the written file.
  Outcome<std::filesystem::path> write(const std::string& image, std::span<const std::byte> bytes) {
    const auto file = directory_ / free_name(std::filesystem::path(image).stem().string());
    common::UnfinishedFile unfinished(file);
    unfinished.write(bytes.data(), bytes.size());
    if (auto done = unfinished.finish(); !done) return done.error();
    return file;
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

// Runs the command with a loaded model. If an image fails, it reports the error and continues with the next image.
class Prediction {
 public:
  Prediction(const PredictOptions& options, const common::ModelConfig& config, model::Model& model)
      : options_(options), config_(config), model_(model), pictures_(options.out) {}

  void predict(const std::string& image) {
    const auto file = model::read_file(image, kMaxImageBytes);
    if (!file) {
      // The message already contains the file's name.
      const auto& why = file.error().message;
      fail(image, {ErrorCode::kInvalidImage, why.starts_with(image + ": ") ? why.substr(image.size() + 2) : why});
      return;
    }
    const auto body = std::as_bytes(std::span<const char>(*file));
    model::Input input{body};
    if (options_.confidence) input.options.confidence = static_cast<float>(*options_.confidence);
    if (options_.iou) input.options.iou = static_cast<float>(*options_.iou);
    input.options.top_k = options_.top_k;
    const auto output = std::move(model_.run({&input, 1}).front());
    if (!output.prediction) {
      fail(image, output.prediction.error());
      return;
    }
    std::visit([&](const auto& prediction) { tell(image, body, prediction, output.times); }, *output.prediction);
  }

  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  void fail(const std::string& image, const Error& error) {
    if (options_.json) print_json_line(to_json(image, error));
    std::fprintf(stderr, "yolodctl: %s: %s\n", common::printable(image).c_str(), error.message.c_str());
    exit_code_ = 1;
  }

  template <typename List>
  void print(const std::string& image, const List& list, const common::WorkTimes& times) const {
    if (options_.json) {
      const auto object = to_json(image, config_.name, model_.description(), list, times);
      print_json_line(object);
    } else {
      print_table(image, model_.description(), list, times);
    }
  }

  void tell(const std::string& image, std::span<const std::byte> body, const common::DetectionList& list,
            const common::WorkTimes& times) {
    print(image, list, times);
    if (options_.out.empty()) return;
    const auto written = annotate(image, body, list);
    if (written) return;
    std::fprintf(stderr, "yolodctl: %s\n", written.error().message.c_str());
    exit_code_ = 1;
  }

  void tell(const std::string& image, std::span<const std::byte> /*body*/, const common::ClassificationList& list,
            const common::WorkTimes& times) {
    print(image, list, times);
  }

  // The answer is the picture itself.
  void tell(const std::string& image, std::span<const std::byte> /*body*/, const common::EncodedFile& file,
            const common::WorkTimes& times) {
    if (options_.out.empty()) {
      fail(image, {ErrorCode::kBadConfig, "this model makes pictures, so --out is needed to say where to write them"});
      return;
    }
    const auto written = pictures_.write(image, file.bytes);
    if (!written) {
      fail(image, written.error());
    } else if (options_.json) {
      const boost::json::object object{
          {"success", true}, {"file", image}, {"model", config_.name}, {"output", written->string()}};
      print_json_line(object);
    } else {
      std::printf("%s  -> %s  %s, decode %.1f ms, infer %.1f ms, post %.1f ms\n", common::printable(image).c_str(),
                  common::printable(written->string()).c_str(), model_.description().precision.c_str(),
                  times.decode_us / 1000.0, times.infer_us / 1000.0, times.post_us / 1000.0);
    }
  }

  void tell(const std::string& image, std::span<const std::byte> /*body*/, const common::IdentityAnswer& /*answer*/,
            const common::WorkTimes& /*times*/) {
    fail(image, {ErrorCode::kBadConfig, "this model does not process pictures"});
  }

  void tell(const std::string& image, std::span<const std::byte> /*body*/, const common::TensorList& /*tensors*/,
            const common::WorkTimes& /*times*/) {
    fail(image, {ErrorCode::kBadConfig, "this model returns tensors; use yolodctl infer"});
  }

  Outcome<std::filesystem::path> annotate(const std::string& image, std::span<const std::byte> body,
                                          const common::DetectionList& list) {
    const auto picture = model::image::decode(body, {config_.limits.max_pixels, config_.limits.max_decode_time});
    if (!picture) return picture.error();
    const auto bytes = model::image::annotate(*picture, list.detections, model_.description().labels);
    if (!bytes) return bytes.error();
    return pictures_.write(image, *bytes);
  }

  const PredictOptions& options_;
  const common::ModelConfig& config_;
  model::Model& model_;
  PictureWriter pictures_;
  int exit_code_{0};
};

int predict(const PredictOptions& options) {
  const auto chosen = choose_model(options.model);
  if (!chosen) return report(chosen.error());
  const auto& config = chosen->config;
  if (std::holds_alternative<common::IdentitySource>(config.source)) {
    return report({ErrorCode::kBadConfig, config.name + ": an identity model has no network"});
  }
  if (config.task == common::Task::kTensor) {
    return report({ErrorCode::kBadConfig, config.name + ": its network takes tensors; use yolodctl infer"});
  }
  if (!options.out.empty()) {
    std::error_code made;
    std::filesystem::create_directories(options.out, made);
    if (made) return report({ErrorCode::kSystem, options.out + ": " + made.message()});
  }
  const auto model = model::load_model(config, chosen->context);
  if (!model) return report(model.error());
  Prediction prediction(options, config, **model);
  for (const auto& image : options.images) prediction.predict(image);
  return prediction.exit_code();
}

}  // namespace

void add_predict(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(kPredict.name, kPredict.purpose);
  auto options = std::make_shared<PredictOptions>();
  add_model_options(*command, options->model);
  add_augment_option(*command, options->model);
  command->add_option("--confidence", options->confidence, "lowest confidence, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("X");
  command->add_option("--iou", options->iou, "largest overlap within a class, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("X");
  command->add_option("--top-k", options->top_k, "how many classes a classifier names")
      ->check(CLI::Range(1U, common::kMaxTopK))
      ->type_name("N");
  command->add_flag("--json", options->json, "one JSON object a line for each image");
  command->add_option("--out", options->out, "write the pictures with their boxes here, or those that the model makes")
      ->type_name("DIR");
  command->add_option("images", options->images, "image files")->required()->type_name("IMAGE...");
  command->callback([options, &exit_code] { exit_code = predict(*options); });
}

}  // namespace yolod::tools
