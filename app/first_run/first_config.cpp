#include "app/first_run/first_config.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

#include "common/config/config.hpp"
#include "common/config/yaml.hpp"
#include "common/error.hpp"
#include "common/outcome.hpp"
#include "common/text.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::first_run {
namespace {

constexpr int kExitNotWritten = 1;
constexpr int kExitNoFolder = 2;
constexpr std::string_view kFileName = "system.yaml";

constexpr std::string_view kBegin =
    R"(# What yolod serves. `yolod --init` wrote this file for the networks that it found beside it.
# `yolod --check` says whether they can be served, `yolod` serves them, `yolod --print-config` prints this file with
# every default, and `yolod --print-config-reference` prints every key. Relative paths are relative to this file.

server:
  # 127.0.0.1 answers this machine alone. 0.0.0.0:8080 answers every machine, and needs api_keys_file or insecure: true.
  listen: [127.0.0.1:8080]
  # A request with a larger picture is refused.
  max_body_bytes: 16MiB

models:
)";

constexpr std::string_view kModelEnd =
    R"(    # This many processes hold the model. A picture that kills one of them costs no other request its answer.
    workers: 1
    # auto takes the first GPU if there is one; cpu and cuda:0 name a device.
    device: auto
)";

// Returns the text without quotes if every YAML reader takes it as a string, otherwise in quotes.
std::string yaml_text(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  constexpr std::array<std::string_view, 9> kWords{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool is_plain = text.find_first_not_of(kPlain) == std::string::npos && lower.front() >= 'a' &&
                        std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
  auto line = common::to_yaml(is_plain ? common::YamlNode::plain(text) : common::YamlNode::string(text));
  line.pop_back();  // removes the line feed
  return line;
}

void append_model(std::string& text, const MatchedModel& model) {
  text += "  # POST /predict?model=" + model.name + '\n';
  text += "  - name: " + yaml_text(model.name) + '\n';
  text += "    task: " + to_string(model.task);
  text += model.torchscript.empty() ? "\n" : "   # or detect, classify, image, tensor: what the network is for\n";
  if (model.torchscript.empty()) {
    text += "    darknet:\n      cfg: " + yaml_text(model.cfg) + "\n      weights: " + yaml_text(model.weights) +
            "\n      names: " + yaml_text(model.names);
    text += model.classes == 0 ? "\n" : "   # " + std::to_string(model.classes) + " labels, one a line\n";
  } else {
    text += "    torchscript:\n      file: " + yaml_text(model.torchscript) + '\n';
    text += model.names.empty() ? "      # names: labels.names   # one a line, if the file does not hold them\n"
                                : "      names: " + yaml_text(model.names) + '\n';
  }
  text += kModelEnd;
  if (model.task == common::Task::kDetect) {
    text +=
        "    detect:\n"
        "      # Answers leave out detections that are less certain than this.\n"
        "      confidence: 0.25\n";
  }
}

// YAML holds only valid text, and control characters in a file name change the state of a terminal.
bool can_be_written(const ModelFile& file) {
  return common::is_utf8(file.name) && common::printable(file.name) == file.name;
}

std::string files_of(const MatchedModel& model) {
  std::string files = model.torchscript.empty() ? model.cfg + ", " + model.weights : model.torchscript;
  return model.names.empty() ? files : files + ", " + model.names;
}

common::Outcome<void> write_new_file(const std::filesystem::path& path, std::string_view text) {
  common::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644));
  const auto failure = [&path] { return common::last_system_error(path.string() + " cannot be written"); };
  if (!file.valid()) return failure();
  while (!text.empty()) {
    const auto count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      auto error = failure();
      ::unlink(path.c_str());
      return error;
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::close(file.release()) == 0) return {};  // a file system over the network may fail only now
  auto error = failure();
  ::unlink(path.c_str());
  return error;
}

// Returns text that a shell reads as one argument.
std::string quoted(const std::string& argument) {
  constexpr std::string_view kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
  if (argument.find_first_not_of(kSafe) == std::string::npos) return argument;
  std::string text = "'";
  for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

void leave_out_more_than_allowed(Matches& matches) {
  if (matches.models.size() <= common::kMostModels) return;
  matches.problems.push_back("A config has at most " + std::to_string(common::kMostModels) + " models. " +
                             std::to_string(matches.models.size() - common::kMostModels) + " more are in this folder.");
  matches.models.resize(common::kMostModels);
}

int fail(int exit_code, const std::string& message) {
  std::fprintf(stderr, "yolod: %s\n", message.c_str());
  return exit_code;
}

}  // namespace

std::string first_config(const Matches& matches) {
  std::string text(kBegin);
  for (const auto& model : matches.models) append_model(text, model);
  if (matches.problems.empty()) return text;
  text += "\n# Not in this file:\n";
  for (const auto& problem : matches.problems) text += "# - " + problem + '\n';
  return text;
}

int write_first_config(const std::filesystem::path& folder) {
  const auto path = folder / kFileName;
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return fail(kExitNoFolder, "--init: " + folder.string() + " is not a folder");
  }
  if (std::filesystem::exists(std::filesystem::symlink_status(path, error))) {
    return fail(kExitNotWritten, path.string() + " is there already; --init never writes over a file");
  }
  auto files = find_model_files(folder);
  if (!files) return fail(kExitNotWritten, files.error().message);
  std::vector<std::string> unwritable;
  for (const auto& file : *files) {
    if (!can_be_written(file)) unwritable.push_back(common::printable(file.name));
  }
  std::erase_if(*files, [](const auto& file) { return !can_be_written(file); });

  auto matches = match(*files);
  for (const auto& name : unwritable) {
    matches.problems.push_back(name + " has a name that YAML cannot hold. Rename it.");
  }
  leave_out_more_than_allowed(matches);
  if (matches.models.empty()) {
    for (const auto& problem : matches.problems) std::fprintf(stderr, "yolod: %s\n", problem.c_str());
    return fail(kExitNotWritten,
                folder.string() +
                    " has no network that yolod could serve, so there is nothing to write. A network is a "
                    "Darknet cfg with its weights and a list of its labels, or a TorchScript file");
  }
  const auto text = first_config(matches);
  if (const auto written = write_new_file(path, text); !written) {
    return fail(kExitNotWritten, written.error().message);
  }

  std::printf("wrote %s:\n", path.c_str());
  for (const auto& model : matches.models) {
    std::printf("  %s: %s\n", model.name.c_str(), files_of(model).c_str());
  }
  if (!matches.problems.empty()) std::printf("left out:\n");
  for (const auto& problem : matches.problems) std::printf("  %s\n", problem.c_str());
  const bool is_here = std::filesystem::equivalent(folder, ".", error);
  const auto config = is_here ? std::string() : " --config " + quoted(path.string());
  std::printf("next:\n  yolod%s --check   # loads each model once and reports it\n  yolod%s           # serves\n",
              config.c_str(), config.c_str());
  return 0;
}

}  // namespace yolod::app::first_run
