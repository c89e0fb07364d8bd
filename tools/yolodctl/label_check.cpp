// yolodctl label-check: looks for mistakes in a folder of label files before a network is trained with them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "common/text.hpp"
#include "model/eval/label_check.hpp"
#include "model/eval/labelled_folder.hpp"
#include "model/eval/yolo_labels.hpp"
#include "model/files/read_file.hpp"
#include "model/sources/labels.hpp"
#include "tools/yolodctl/commands.hpp"

namespace yolod::tools {
namespace {

namespace fs = std::filesystem;

struct LabelCheckOptions {
  std::string images;
  std::string labels;
  std::string names;
};

struct LabelCounts {
  std::size_t pictures{0};
  std::size_t files{0};    // label files
  std::size_t objects{0};  // labels in them, right or wrong
  std::size_t mistakes{0};
  std::size_t unlabelled{0};  // pictures without a label file
};

int complain(int exit_code, const std::string& what) {
  std::fprintf(stderr, "yolodctl: %s\n", what.c_str());
  return exit_code;
}

void tell(LabelCounts& counts, const fs::path& file, std::size_t line, const std::string& what) {
  ++counts.mistakes;
  std::printf("%s:%zu: %s\n", common::printable(file.string(), 300).c_str(), line, what.c_str());
}

void check_file(LabelCounts& counts, const fs::path& file, std::size_t class_count) {
  ++counts.files;
  const auto text = model::read_text(file, model::eval::kMaxLabelFileBytes);
  if (!text) {
    ++counts.mistakes;
    std::printf("%s\n", text.error().message.c_str());
    return;
  }
  model::eval::for_each_label_line(*text, [&](std::size_t /*number*/, std::string_view /*line*/) {
    ++counts.objects;
    return true;
  });
  for (const auto& mistake : model::eval::label_mistakes(*text, class_count))
    tell(counts, file, mistake.line, mistake.what);
}

// Reports label files whose picture is missing, because a name was misspelt or pictures were moved.
void check_strays(LabelCounts& counts, const fs::path& labels, const std::set<fs::path>& expected) {
  std::vector<fs::path> strays;
  std::error_code failed;
  for (fs::directory_iterator entry(labels, failed), end; !failed && entry != end; entry.increment(failed)) {
    const auto& file = entry->path();
    // LabelImg writes the names of the classes beside the labels.
    if (file.extension() == ".txt" && file.filename() != "classes.txt" && expected.count(file) == 0)
      strays.push_back(file);
  }
  std::sort(strays.begin(), strays.end());
  for (const auto& file : strays) tell(counts, file, 1, "no picture has the name of this label file");
}

int run_label_check(const LabelCheckOptions& options) {
  const auto names = model::darknet::read_names(options.names, 0);
  if (!names) return complain(2, "--names: " + names.error().message);
  const auto pictures = model::eval::pictures_in(options.images);
  if (!pictures) return complain(2, "--images: " + pictures.error().message);
  std::error_code failed;
  if (!fs::is_directory(options.labels, failed)) return complain(2, "--labels: " + options.labels + " is no folder");
  LabelCounts counts;
  std::set<fs::path> expected;
  for (const auto& picture : *pictures) {
    ++counts.pictures;
    const auto file = model::eval::label_file_of(picture, options.labels);
    if (!expected.insert(file).second) {
      tell(counts, file, 1, "two pictures have the name of this label file");
    } else if (fs::exists(file, failed)) {
      check_file(counts, file, names->size());
    } else {
      ++counts.unlabelled;
    }
  }
  check_strays(counts, options.labels, expected);
  std::printf("%zu pictures, %zu label files with %zu labels, %zu classes: %zu mistakes\n", counts.pictures,
              counts.files, counts.objects, names->size(), counts.mistakes);
  if (counts.unlabelled > 0)
    std::printf("%zu pictures have no label file: training takes them for pictures without objects\n",
                counts.unlabelled);
  return counts.mistakes == 0 ? 0 : 1;
}

}  // namespace

void add_label_check(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<LabelCheckOptions>();
  auto* command =
      app.add_subcommand("label-check", "Look for mistakes in YOLO-format labels: one line for each mistake");
  command->add_option("--images", options->images, "the folder of the pictures")->required()->type_name("DIR");
  command->add_option("--labels", options->labels, "the folder of the label files, named as the pictures are")
      ->required()
      ->type_name("DIR");
  command->add_option("--names", options->names, "the names of the classes, one a line")->required()->type_name("FILE");
  command->callback([options, &exit_code] { exit_code = run_label_check(*options); });
}

}  // namespace yolod::tools
