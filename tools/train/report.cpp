#include "tools/train/report.hpp"

#include <array>
#include <cstdio>

#include "common/text.hpp"

namespace yolod::train {
namespace {

using model::eval::Evaluation;
using model::eval::Score;

std::string percent(const std::optional<double>& fraction) {
  if (!fraction) return "-";
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", *fraction * 100);
  return text.data();
}

// Escapes a name for a Markdown table.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : common::printable(text, 1'000)) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string scores(const Score& before, const Score& after) {
  return percent(before.ap50) + " | " + percent(after.ap50) + " | " + percent(before.ap50_95) + " | " +
         percent(after.ap50_95) + " |\n";
}

// A class that is in no held-out picture has no score. A sentence below the table counts these classes.
std::string class_table(const ReportFacts& facts) {
  std::string text =
      "| class | objects | AP50 before | AP50 after | AP50:95 before | AP50:95 after |\n"
      "|---|---|---|---|---|---|\n";
  const Evaluation& after = *facts.after;
  std::size_t absent = 0;
  std::size_t objects = 0;
  for (std::size_t c = 0; c < after.classes.size() && c < facts.names.size(); ++c) {
    if (after.classes[c].truth_count == 0) {
      ++absent;
      continue;
    }
    objects += after.classes[c].truth_count;
    const Score before = facts.before ? facts.before->classes[c].score : Score{};
    text += "| " + cell(facts.names[c]) + " | " + std::to_string(after.classes[c].truth_count) + " | " +
            scores(before, after.classes[c].score);
  }
  text +=
      "| all | " + std::to_string(objects) + " | " + scores(facts.before ? facts.before->mean : Score{}, after.mean);
  if (absent > 0)
    text += "\n" + std::to_string(absent) + " classes are in no held-out picture and have no average precision.\n";
  return text;
}

}  // namespace

std::string report_text(const ReportFacts& facts) {
  std::array<char, 160> work{};
  std::snprintf(work.data(), work.size(), "%llu steps, %llu pictures learned from, %.1f minutes.",
                static_cast<unsigned long long>(facts.steps), static_cast<unsigned long long>(facts.images),
                facts.minutes);
  const auto config = (facts.folder / (facts.name + ".yaml")).string();
  std::string text = "# Training of " + cell(facts.name) + "\n\n";
  text += "| | |\n|---|---|\n";
  text += "| cfg | " + cell(facts.cfg.string()) + ", as trained: " + cell(facts.name) + ".cfg |\n";
  text += "| data | " + cell(facts.source) + " |\n";
  text += "| begun with | " + cell(facts.start) + " |\n";
  text += "| work | " + std::string(work.data()) + " |\n";
  text += "| end | " + cell(facts.end) + " |\n\n";
  if (facts.after) {
    text += "## Average precision on the held-out pictures\n\n";
    text += facts.best_step == 0 ? "No validation was better than the start: `" + facts.name +
                                       ".weights` holds the "
                                       "weights that the run began with.\n\n"
                                 : "`" + facts.name + ".weights` holds the weights of step " +
                                       std::to_string(facts.best_step) + ", which had the highest AP50.\n\n";
    text += class_table(facts);
    text += "\n![Loss and average precision by step](" + facts.name + ".svg)\n";
  } else {
    text += "There was no validation yet: `" + facts.name + ".weights` holds the latest weights.\n";
  }
  text += "\n## Serve it\n\n```sh\nyolod --config " + config +
          "\ncurl --data-binary @picture.jpg "
          "http://127.0.0.1:8080/predict\n```\n";
  return text;
}

std::string config_text(const std::string& name) {
  return "# Written by yolod-train.\nserver:\n  listen: [127.0.0.1:8080]\nmodels:\n  - name: trained\n    darknet: "
         "{cfg: \"" +
         name + ".cfg\", weights: \"" + name + ".weights\", names: \"" + name + ".names\"}\n";
}

}  // namespace yolod::train
