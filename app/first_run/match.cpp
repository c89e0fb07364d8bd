#include "app/first_run/match.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

namespace yolod::app::first_run {
namespace {

using Files = std::vector<const ModelFile*>;

Files of_kind(const std::vector<ModelFile>& files, std::initializer_list<FileKind> kinds) {
  Files found;
  for (const auto& file : files) {
    if (std::find(kinds.begin(), kinds.end(), file.kind) != kinds.end()) found.push_back(&file);
  }
  return found;
}

// Names the first few files, and the number of the others.
std::string listed(const Files& files) {
  constexpr std::size_t kMostNamed = 5;
  std::string list;
  for (std::size_t i = 0; i < std::min(files.size(), kMostNamed); ++i) {
    list += (list.empty() ? "" : ", ") + files[i]->name;
  }
  if (files.size() > kMostNamed) list += " and " + std::to_string(files.size() - kMostNamed) + " more";
  return list;
}

void remove(Files& files, const ModelFile* file) { std::erase(files, file); }

// When Darknet trains lights.cfg, it writes lights_best.weights, lights_final.weights and lights_last.weights. A
// smaller distance is a better match. kSuffixes.size() means that the names do not match.
constexpr std::array<std::string_view, 4> kSuffixes{"", "_best", "_final", "_last"};
std::size_t distance(const ModelFile& cfg, const ModelFile& weights) {
  const auto stem = weights.stem();
  for (std::size_t i = 0; i < kSuffixes.size(); ++i) {
    if (stem == cfg.stem() + std::string(kSuffixes[i])) return i;
  }
  return kSuffixes.size();
}

// Returns the weights with the best name, or null. If two names are equal, it prefers Darknet's own format.
const ModelFile* weights_by_name(const ModelFile& cfg, const Files& weights) {
  const ModelFile* best = nullptr;
  const auto rank = [&cfg](const ModelFile& file) {
    return std::pair(distance(cfg, file), file.kind != FileKind::kDarknetWeights);
  };
  for (const auto* file : weights) {
    if (distance(cfg, *file) == kSuffixes.size()) continue;
    if (best == nullptr || rank(*file) < rank(*best)) best = file;
  }
  return best;
}

bool is_name_of(const ModelFile& labels, const ModelFile* network) {
  return network != nullptr && labels.stem() == network->stem();
}

// Returns the list of labels with the name of one of the network's files, or the only list with its number of
// classes. If several lists have that number, it uses the only list whose name ends in .names. Returns null if it
// cannot decide.
const ModelFile* find_labels(const Files& all, std::size_t classes, const ModelFile* first, const ModelFile* second) {
  Files fitting;
  for (const auto* labels : all) {
    if (classes == 0 || labels->classes == classes) fitting.push_back(labels);
  }
  for (const auto* network : {first, second}) {
    for (const auto* labels : fitting) {
      if (is_name_of(*labels, network)) return labels;
    }
  }
  if (fitting.size() > 1) std::erase_if(fitting, [](const auto* file) { return !file->name.ends_with(".names"); });
  return fitting.size() == 1 ? fitting.front() : nullptr;
}

// Returns a name that a config accepts: at most 64 letters, digits, '-', '_' and '.', and no '-' or '.' at the
// start.
std::string model_name(const std::string& stem, std::set<std::string>& taken) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  constexpr std::size_t kRoomForNumber = 6;
  std::string name = stem.substr(0, 64 - kRoomForNumber);
  for (char& c : name) {
    if (kAllowed.find(c) == std::string_view::npos) c = '-';
  }
  name.erase(0, std::min(name.find_first_not_of("-."), name.size()));
  if (name.empty()) name = "model";
  const auto base = name;
  for (int i = 2; !taken.insert(name).second; ++i) name = base + '-' + std::to_string(i);
  return name;
}

std::string classes_of(const ModelFile& cfg) {
  return cfg.classes == 0 ? "labels" : std::to_string(cfg.classes) + (cfg.classes == 1 ? " label" : " labels");
}

struct Pair {
  const ModelFile* cfg;
  const ModelFile* weights;
};

// Finds pairs, and removes them from both lists.
std::vector<Pair> pair_up(Files& cfgs, Files& weights) {
  std::vector<Pair> pairs;
  for (const auto* cfg : Files(cfgs)) {
    if (const auto* own = weights_by_name(*cfg, weights)) {
      pairs.push_back({cfg, own});
      remove(cfgs, cfg);
      remove(weights, own);
    }
  }
  if (cfgs.size() == 1 && weights.size() == 1) {
    pairs.push_back({cfgs.front(), weights.front()});
    cfgs.clear();
    weights.clear();
  }
  return pairs;
}

void add_darknet(const Pair& pair, const Files& labels, std::set<std::string>& taken, Matches& matches) {
  const auto& [cfg, weights] = pair;
  const auto* names = find_labels(labels, cfg->classes, cfg, weights);
  if (names != nullptr) {
    matches.models.push_back(
        {model_name(cfg->stem(), taken), "", cfg->name, weights->name, names->name, cfg->task, cfg->classes});
    return;
  }
  matches.problems.push_back(cfg->name + " and " + weights->name + " belong together, but no file lists their " +
                             classes_of(*cfg) + ". Write them into " + cfg->stem() + ".names, one a line.");
}

}  // namespace

Matches match(const std::vector<ModelFile>& files) {
  Matches matches;
  std::set<std::string> taken;
  auto cfgs = of_kind(files, {FileKind::kCfg});
  auto weights = of_kind(files, {FileKind::kDarknetWeights, FileKind::kCheckpoint});
  const auto labels = of_kind(files, {FileKind::kLabels});

  for (const Pair& pair : pair_up(cfgs, weights)) add_darknet(pair, labels, taken, matches);
  for (const auto* script : of_kind(files, {FileKind::kTorchScript})) {
    const auto own =
        std::find_if(labels.begin(), labels.end(), [script](const auto* one) { return is_name_of(*one, script); });
    matches.models.push_back({model_name(script->stem(), taken), script->name, "", "",
                              own == labels.end() ? "" : (*own)->name, script->task, 0});
  }

  for (const auto* cfg : cfgs) {
    matches.problems.push_back(
        cfg->name + " is a Darknet cfg, but " +
        (weights.empty() ? "there are no weights for it."
                         : "several files could be its weights or its weights could be for another cfg (" +
                               listed(weights) + "). Give its weights the name " + cfg->stem() + ".weights."));
  }
  for (const auto* file : weights) {
    if (!cfgs.empty()) continue;  // the message about the cfg names these weights
    matches.problems.push_back(
        file->name + (file->kind == FileKind::kCheckpoint
                          ? " is a PyTorch checkpoint, which holds weights alone, and there is no cfg left for it."
                          : " holds Darknet weights, but there is no cfg left for them."));
  }
  return matches;
}

}  // namespace yolod::app::first_run
