#include "model/darknet/known_keys.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "common/text.hpp"

namespace yolod::model::darknet {
namespace {

using Keys = std::vector<std::string_view>;

// The keys in AlexeyAB/darknet's src/parser.c and in pjreddie's program: those that each parse_*() function reads,
// and those that parse_network_cfg_custom() reads in every section.
const Keys kEverywhere{"burnin_update", "clip",          "dont_update", "dontload",     "dontloadscales",
                       "learning_rate", "numload",       "onlyforward", "stopbackward", "show_receptive_field",
                       "truth",         "train_only_bn", "adversarial", "extra"};

const Keys kNet{"B1",
                "B2",
                "adam",
                "adversarial_lr",
                "angle",
                "aspect",
                "attention",
                "augment_speed",
                "badlabels_rejection_percentage",
                "batch",
                "blur",
                "burn_in",
                "center",
                "channels",
                "clip",
                "contrastive",
                "contrastive_color",
                "contrastive_jit_flip",
                "cutmix",
                "decay",
                "dynamic_minibatch",
                "ema_alpha",
                "eps",
                "equidistant_point",
                "exposure",
                "flip",
                "gamma",
                "gaussian_noise",
                "height",
                "hue",
                "inputs",
                "label_smooth_eps",
                "learning_rate",
                "learning_rate_min",
                "letter_box",
                "loss_scale",
                "max_batches",
                "max_chart_loss",
                "max_crop",
                "max_ratio",
                "min_crop",
                "min_ratio",
                "mixup",
                "momentum",
                "mosaic",
                "mosaic_bound",
                "notruth",
                "num_sigmas_reject_badlabels",
                "optimized_memory",
                "policy",
                "power",
                "random",
                "resize_step",
                "saturation",
                "scale",
                "scales",
                "seq_scales",
                "sequential_subdivisions",
                "sgdr_cycle",
                "sgdr_mult",
                "step",
                "steps",
                "subdivisions",
                "time_steps",
                "track",
                "track_history_size",
                "try_fix_nan",
                "unsupervised",
                "use_cuda_graph",
                "weights_reject_freq",
                "width",
                "workspace_size_limit_MB"};

const Keys kConvolutional{"activation",
                          "angle",
                          "antialiasing",
                          "assisted_excitation",
                          "batch_normalize",
                          "bin_output",
                          "binary",
                          "cbn",
                          "coordconv",
                          "dilation",
                          "dot",
                          "filters",
                          "flipped",
                          "from",
                          "grad_centr",
                          "groups",
                          "pad",
                          "padding",
                          "probability",
                          "reverse",
                          "rotate",
                          "share_index",
                          "size",
                          "stream",
                          "stretch",
                          "stretch_sway",
                          "stride",
                          "stride_x",
                          "stride_y",
                          "sway",
                          "wait_stream",
                          "xnor"};

const Keys kYolo{"anchors",
                 "beta_nms",
                 "box_loss",
                 "classes",
                 "cls_normalizer",
                 "counters_per_class",
                 "delta_normalizer",
                 "dets_for_show",
                 "dets_for_track",
                 "embedding_layer",
                 "focal_loss",
                 "from",
                 "ignore_thresh",
                 "iou_loss",
                 "iou_normalizer",
                 "iou_thresh",
                 "iou_thresh_kind",
                 "jitter",
                 "label_smooth_eps",
                 "map",
                 "mask",
                 "max",
                 "max_delta",
                 "new_coords",
                 "nms_kind",
                 "nms_threshold",
                 "num",
                 "obj_normalizer",
                 "objectness_smooth",
                 "random",
                 "resize",
                 "scale_x_y",
                 "show_details",
                 "sim_thresh",
                 "track_ciou_norm",
                 "track_history_size",
                 "truth_thresh",
                 "uc_normalizer",
                 "yolo_point"};

const Keys kRegion{"absolute",       "anchors",  "background",   "bias_match", "class_scale",
                   "classes",        "classfix", "coord_scale",  "coords",     "focal_loss",
                   "jitter",         "log",      "map",          "mask_scale", "max",
                   "noobject_scale", "num",      "object_scale", "random",     "rescore",
                   "resize",         "softmax",  "sqrt",         "thresh",     "tree"};

const Keys kDetection{"class_scale", "classes",        "coord_scale", "coords",       "forced", "jitter",
                      "max",         "noobject_scale", "num",         "object_scale", "random", "reorg",
                      "rescore",     "resize",         "side",        "softmax",      "sqrt"};

const Keys kMaxpool{"antialiasing", "maxpool_depth", "maxpool_zero_nonmax", "out_channels", "padding", "size", "stride",
                    "stride_x",     "stride_y"};

const Keys kConnected{"activation", "batch_normalize", "flipped", "output"};
const Keys kLocal{"activation", "filters", "pad", "size", "stride"};
const Keys kLocalAvgpool{"padding", "size", "stride", "stride_x", "stride_y"};
const Keys kSoftmax{"groups", "noloss", "spatial", "temperature", "tree"};
const Keys kContrastive{"classes", "cls_normalizer", "contrastive_neg_max", "max_delta", "temperature", "yolo_layer"};
const Keys kCost{"ratio", "scale", "thresh", "type", "noobj"};
const Keys kCrop{"angle", "crop_height", "crop_width", "exposure", "flip", "noadjust", "saturation", "shift"};
const Keys kReorg{"extra", "flatten", "reverse", "stride"};
const Keys kDropout{"dropblock", "dropblock_size_abs", "dropblock_size_rel", "probability"};
const Keys kShortcut{"activation", "alpha", "beta", "from", "weights_normalization", "weights_type"};
const Keys kScaleChannels{"activation", "from", "scale_wh"};
const Keys kSam{"activation", "from"};
const Keys kActivation{"activation"};
const Keys kUpsample{"scale", "stride"};
const Keys kRoute{"group_id", "groups", "layers", "stream", "wait_stream"};
const Keys kNone{};

struct Section {
  std::string_view type;
  const Keys* keys;
};

const std::array kSections{
    Section{"net", &kNet},
    Section{"network", &kNet},
    Section{"convolutional", &kConvolutional},
    Section{"conv", &kConvolutional},
    Section{"batchnorm", &kNone},
    Section{"BatchNorm2d", &kNone},
    Section{"connected", &kConnected},
    Section{"conn", &kConnected},
    Section{"local", &kLocal},
    Section{"maxpool", &kMaxpool},
    Section{"max", &kMaxpool},
    Section{"local_avgpool", &kLocalAvgpool},
    Section{"local_avg", &kLocalAvgpool},
    Section{"avgpool", &kNone},
    Section{"avg", &kNone},
    Section{"route", &kRoute},
    Section{"shortcut", &kShortcut},
    Section{"upsample", &kUpsample},
    Section{"reorg", &kReorg},
    Section{"reorg3d", &kReorg},
    Section{"crop", &kCrop},
    Section{"activation", &kActivation},
    Section{"dropout", &kDropout},
    Section{"cost", &kCost},
    Section{"contrastive", &kContrastive},
    Section{"scale_channels", &kScaleChannels},
    Section{"sam", &kSam},
    Section{"yolo", &kYolo},
    Section{"Gaussian_yolo", &kYolo},
    Section{"region", &kRegion},
    Section{"detection", &kDetection},
    Section{"softmax", &kSoftmax},
    Section{"soft", &kSoftmax},
};

bool holds(const Keys& keys, std::string_view key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); }

}  // namespace

std::vector<std::string> unknown_keys(const Cfg& cfg, const CfgSection& section) {
  std::vector<std::string> warnings;
  const auto* known = std::find_if(kSections.begin(), kSections.end(),
                                   [&section](const Section& one) { return one.type == section.type; });
  if (known == kSections.end()) return warnings;
  for (const auto& option : section.options) {
    if (holds(*known->keys, option.key) || holds(kEverywhere, option.key)) continue;
    if (warnings.size() == kMaxCfgWarnings) break;
    const auto nearest = common::nearest_word(option.key, *known->keys);
    warnings.push_back(cfg.source_name + ":" + std::to_string(option.line) + ": [" + section.type +
                       "]: " + common::printable(option.key, 40) + " is not known and is passed over" +
                       (nearest.empty() ? "" : ", did you mean " + std::string(nearest) + "?"));
  }
  return warnings;
}

}  // namespace yolod::model::darknet
