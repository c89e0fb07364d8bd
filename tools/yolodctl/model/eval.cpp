// yolodctl eval measures how well a detector finds the objects in label files.
#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "common/text.hpp"
#include "model/eval/average_precision.hpp"
#include "model/eval/judged_detections.hpp"
#include "model/eval/labelled_folder.hpp"
#include "model/eval/yolo_labels.hpp"
#include "model/files/read_file.hpp"
#include "model/load/load_model.hpp"
#include "model/model.hpp"
#include "tools/progress/progress_bar.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model/json_line.hpp"
#include "tools/yolodctl/model/model_options.hpp"

namespace yolod::tools {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorCode;
using common::Outcome;
using model::eval::JudgedImage;

struct EvalOptions {
  ModelOptions model;
  std::string images;
  std::string labels;
  std::string metric{"coco"};
  std::optional<float> confidence;
  std::optional<float> iou;
  bool json{false};
};

// Nothing where there is no such file: by custom a picture without objects needs none.
Outcome<std::optional<std::vector<model::eval::Truth>>> read_labels(const fs::path& file, std::size_t class_count) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::optional<std::vector<model::eval::Truth>>();
  const auto text = model::read_text(file, model::eval::kMaxLabelFileBytes);
  if (!text) return text.error();
  auto truths = model::eval::parse_yolo_labels(*text, class_count, file.string());
  if (!truths) return std::move(truths).error();
  return std::optional(std::move(truths).value());
}

Outcome<common::DetectionList> detect(model::Model& model, const fs::path& file,
                                      const common::PredictionOptions& options, bool clip_boxes) {
  const auto body = model::read_file(file, kMaxImageBytes);
  if (!body) return body.error();
  const model::Input input{std::as_bytes(std::span<const char>(*body)), common::ContentKind::kFile, options,
                           clip_boxes};
  auto outputs = model.run({&input, 1});
  auto& prediction = outputs.front().prediction;
  if (!prediction) {
    auto error = prediction.error();
    error.message = file.string() + ": " + error.message;
    return error;
  }
  auto* list = std::get_if<common::DetectionList>(&prediction.value());
  if (list == nullptr) return Error{ErrorCode::kBadConfig, "eval works for detectors only"};
  return std::move(*list);
}

// Converts fractions of the picture to pixels.
common::Box scaled(const common::Box& box, const common::DetectionList& list) {
  const auto width = static_cast<float>(list.image_width);
  const auto height = static_cast<float>(list.image_height);
  return {box.x_min * width, box.y_min * height, box.x_max * width, box.y_max * height};
}

struct Judged {
  std::vector<JudgedImage> images;
  std::size_t unlabelled{0};  // pictures without a label file
};

Outcome<Judged> judge(model::Model& model, const std::vector<fs::path>& pictures, const EvalOptions& options) {
  const auto class_count = model.description().labels.size();
  const bool as_darknet = options.metric == "darknet";
  const common::PredictionOptions asked{
      options.confidence.value_or(as_darknet ? model::eval::kDarknetConfidence : model::eval::kCocoConfidence),
      options.iou, model::eval::kMaxJudgedDetections};
  Judged judged;
  ProgressBar progress;
  for (const auto& picture : pictures) {
    progress.draw(static_cast<double>(judged.images.size()) / static_cast<double>(pictures.size()),
                  std::to_string(judged.images.size()) + " of " + std::to_string(pictures.size()) + " pictures");
    auto truths = read_labels(model::eval::label_file_of(picture, options.labels), class_count);
    if (!truths) return std::move(truths).error();
    auto list = detect(model, picture, asked, !as_darknet);
    if (!list) return std::move(list).error();
    JudgedImage image;
    if (*truths) {
      image.truths = std::move(**truths);
    } else {
      ++judged.unlabelled;
    }
    for (auto& truth : image.truths) truth.box = scaled(truth.box, *list);
    image.detections = std::move(list->detections);
    judged.images.push_back(std::move(image));
  }
  if (judged.unlabelled == pictures.size()) {
    return Error{ErrorCode::kInvalidParameter, "--labels: " + options.labels + ": no label file for any picture"};
  }
  return judged;
}

boost::json::value to_json(const std::optional<double>& fraction) {
  return fraction ? boost::json::value(*fraction) : boost::json::value(nullptr);
}

void print_json(const EvalOptions& options, const std::string& name, const common::ModelDescription& model,
                std::size_t image_count, const model::eval::Evaluation& evaluation) {
  boost::json::array classes;
  for (std::size_t c = 0; c < evaluation.classes.size(); ++c) {
    const auto& [truth_count, detection_count, score] = evaluation.classes[c];
    classes.push_back({{"label", model.labels[c]},
                       {"class_id", c},
                       {"truths", truth_count},
                       {"detections", detection_count},
                       {"ap50", to_json(score.ap50)},
                       {"ap50_95", to_json(score.ap50_95)}});
  }
  const boost::json::object whole{{"metric", options.metric},
                                  {"model", name},
                                  {"precision", model.precision},
                                  {"images", image_count},
                                  {"ap50", to_json(evaluation.mean.ap50)},
                                  {"ap50_95", to_json(evaluation.mean.ap50_95)},
                                  {"classes", std::move(classes)}};
  print_json_line(whole);
}

void print_line(const std::string& label, std::size_t truths, std::size_t detections, const model::eval::Score& score) {
  const auto percent = [](const std::optional<double>& fraction) {
    std::array<char, 16> text{"-"};
    if (fraction) std::snprintf(text.data(), text.size(), "%.2f", *fraction * 100);
    return std::string(text.data());
  };
  std::printf("%-20s %8zu %10zu %8s %8s\n", common::printable(label).c_str(), truths, detections,
              percent(score.ap50).c_str(), percent(score.ap50_95).c_str());
}

// Omits classes that are in no picture. They affect only the mean, if the metric counts them.
void print_table(const EvalOptions& options, const common::ModelDescription& model, std::size_t image_count,
                 const model::eval::Evaluation& evaluation) {
  std::printf("%zu pictures, %s, %s's metric, in percent\n", image_count, model.precision.c_str(),
              options.metric.c_str());
  std::printf("%-20s %8s %10s %8s %8s\n", "label", "truths", "detections", "AP50", "AP50:95");
  std::size_t truths = 0;
  std::size_t detections = 0;
  for (std::size_t c = 0; c < evaluation.classes.size(); ++c) {
    const auto& entry = evaluation.classes[c];
    truths += entry.truth_count;
    detections += entry.detection_count;
    if (entry.truth_count > 0) print_line(model.labels[c], entry.truth_count, entry.detection_count, entry.score);
  }
  print_line("all", truths, detections, evaluation.mean);
}

int eval(const EvalOptions& options) {
  auto chosen = choose_model(options.model);
  if (!chosen) return report(chosen.error());
  const auto pictures = model::eval::pictures_in(options.images);
  if (!pictures) {
    return report({pictures.error().code, "--images: " + pictures.error().message});
  }
  const auto model = model::load_model(chosen->config, chosen->context);
  if (!model) return report(model.error());
  const auto judged = judge(**model, *pictures, options);
  if (!judged) return report(judged.error());
  if (judged->unlabelled > 0) {
    std::fprintf(stderr, "yolodctl: %zu of %zu pictures have no label file and count as empty\n", judged->unlabelled,
                 pictures->size());
  }
  const auto& description = (*model)->description();
  const auto class_count = description.labels.size();
  const auto evaluation = options.metric == "darknet" ? model::eval::evaluate_as_darknet(judged->images, class_count)
                                                      : model::eval::evaluate_as_coco(judged->images, class_count);
  if (options.json) {
    print_json(options, chosen->config.name, description, pictures->size(), evaluation);
  } else {
    print_table(options, description, pictures->size(), evaluation);
  }
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(kEval.name, kEval.purpose);
  auto options = std::make_shared<EvalOptions>();
  add_model_options(*command, options->model);
  add_augment_option(*command, options->model);
  command->add_option("--images", options->images, "a folder of pictures")->required()->type_name("DIR");
  command->add_option("--labels", options->labels, "a folder of YOLO-format label files, named as the pictures are")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--metric", options->metric,
                   "coco: AP50 and AP50:95 as pycocotools has them; darknet: mAP@0.50 as its `detector map` has it")
      ->check(CLI::IsMember({"coco", "darknet"}))
      ->capture_default_str();
  command->add_option("--confidence", options->confidence, "lowest confidence; default 0.001 (coco), 0.005 (darknet)")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("X");
  command->add_option("--iou", options->iou, "largest overlap within a class; default the model's")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("X");
  command->add_flag("--json", options->json, "one JSON object");
  command->callback([options, &exit_code] { exit_code = eval(*options); });
}

}  // namespace yolod::tools
