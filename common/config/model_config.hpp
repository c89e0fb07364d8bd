// The settings of one model as plain values, with defaults, absolute paths and checked ranges. A worker receives
// these settings and no others. common/config/schema.hpp reads them. Any thread may use a copy.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/clock.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/domain/task.hpp"
#include "common/oip/data_type.hpp"

namespace yolod::common {

enum class Precision { kAuto, kFp32, kBf16, kFp16 };
enum class ResizeMode { kAuto, kStretch, kLetterbox };
enum class AutoBool { kAuto, kTrue, kFalse };
enum class TorchScriptLayout { kAuto, kYolov5, kYolov8, kEndToEnd, kLogits, kImage };
enum class BoxCoordinates { kAuto, kPixels, kFractions };
enum class ChannelOrder { kRgb, kBgr };
enum class CropMode { kNone, kCenter };
enum class ReloadMode { kBeside, kInPlace };
enum class IdentityLoadFault { kNone, kExit, kCrash, kHang, kWarmUpCrash };
struct DarknetSource {
  std::filesystem::path cfg;
  std::filesystem::path weights;
  std::filesystem::path names;  // a list of labels, or a Darknet .data file that refers to one
  friend bool operator==(const DarknetSource&, const DarknetSource&) = default;
};

struct TorchScriptSource {
  std::filesystem::path file;
  std::filesystem::path names;  // may be empty
  TorchScriptLayout layout{TorchScriptLayout::kAuto};
  // whether a detector's boxes are in pixels or in fractions of its input
  BoxCoordinates coordinates{BoxCoordinates::kAuto};
  friend bool operator==(const TorchScriptSource&, const TorchScriptSource&) = default;
};

// A model without a network: it answers with the size and the checksum of the request's body.
struct IdentitySource {
  milliseconds delay{0};
  bool faults{false};
  milliseconds load_delay{0};
  IdentityLoadFault load_fault{IdentityLoadFault::kNone};
  std::string loader_probe{};  // with `faults`: a system call that the sealed loader tries (model/forbidden_call.hpp)
  friend bool operator==(const IdentitySource&, const IdentitySource&) = default;
};

using ModelSource = std::variant<DarknetSource, TorchScriptSource, IdentitySource>;

struct InputSize {
  std::uint32_t height{0};
  std::uint32_t width{0};
  friend bool operator==(const InputSize&, const InputSize&) = default;
};

// The largest batch size that a config may set.
inline constexpr std::uint32_t kMostInBatch = 256;
// The largest batch.max_rows.
inline constexpr std::uint32_t kMostRows = 65'536;

// Returns 1, 2, 4 and so on, up to `limit`: the sizes that `auto` tries and uses.
[[nodiscard]] inline std::vector<std::uint32_t> doubling_sizes(std::uint32_t limit) {
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t size = 1; size <= limit; size *= 2) sizes.push_back(size);
  return sizes;
}

struct BatchConfig {
  // The largest size that `auto` chooses.
  static constexpr std::uint32_t kMostByAuto = 8;

  std::uint32_t max_size{0};  // 0 means `auto`: the warm-up finds the largest size that pays
  milliseconds max_wait{0};
  std::vector<std::uint32_t> preferred_sizes;  // rising, at most size_limit(); empty: any size
  milliseconds target_p99{0};                  // 0: none; otherwise it determines the size and the wait
  // With task: tensor, the first dimension of all tensors is a batch, and one run of the network has at most this many
  // rows. 0: the requests are computed one by one.
  std::uint32_t max_rows{0};

  // No batch is larger than this, whatever size the warm-up finds.
  [[nodiscard]] std::uint32_t size_limit() const { return max_size == 0 ? kMostByAuto : max_size; }
  friend bool operator==(const BatchConfig&, const BatchConfig&) = default;
};

struct QueueConfig {
  std::uint32_t max_size{64};
  milliseconds timeout{10'000};
  friend bool operator==(const QueueConfig&, const QueueConfig&) = default;
};

// The largest number of workers of one model.
inline constexpr std::uint32_t kMostWorkers = 256;

struct RecycleConfig {
  std::uint64_t max_requests{0};  // 0: no limit
  std::uint64_t max_rss_bytes{0};
  friend bool operator==(const RecycleConfig&, const RecycleConfig&) = default;
};

struct CanaryConfig {
  std::filesystem::path image;
  std::vector<std::string> expect;
  friend bool operator==(const CanaryConfig&, const CanaryConfig&) = default;
};

struct PreprocessConfig {
  double scale{1.0 / 255.0};            // the key takes a number or a fraction such as 1/255
  std::array<double, 3> mean{0, 0, 0};  // one value per channel, in the network's order
  std::array<double, 3> std{1, 1, 1};
  ChannelOrder order{ChannelOrder::kRgb};
  CropMode crop{CropMode::kNone};
  double crop_fraction{1};  // the part of the resized picture's shorter side that a centre crop keeps
  friend bool operator==(const PreprocessConfig&, const PreprocessConfig&) = default;
};

struct DetectConfig {
  double confidence{0.25};
  double iou{0.45};
  std::uint32_t max_detections{300};
  bool augment{false};
  std::vector<std::string> classes;
  AutoBool multi_label{AutoBool::kAuto};
  // If true, requests may ask for the picture with its boxes; every answer then has room for limits.max_result_bytes.
  bool annotate{false};
  // If true, NAME:raw takes tensors and gives the network's output. Every answer then has room as above.
  bool raw{false};
  friend bool operator==(const DetectConfig&, const DetectConfig&) = default;
};

struct ClassifyConfig {
  std::uint32_t top_k{5};
  // If true, the Open Inference Protocol gives the network's output, and NAME:raw takes tensors. Every answer then has
  // room for limits.max_result_bytes.
  bool raw{false};
  friend bool operator==(const ClassifyConfig&, const ClassifyConfig&) = default;
};

struct ImageConfig {
  std::array<double, 2> range{0, 1};  // the network's output values for black and white
  friend bool operator==(const ImageConfig&, const ImageConfig&) = default;
};

struct LimitsConfig {
  std::uint64_t max_pixels{100'000'000};
  milliseconds max_decode_time{2'000};                 // processor time of the thread that decodes one picture
  std::uint64_t max_decode_memory_bytes{1ULL << 30U};  // for all pictures or tensors that one worker decodes at once
  std::uint64_t max_result_bytes{4ULL << 20U};         // for an answer that is a picture or tensors
  friend bool operator==(const LimitsConfig&, const LimitsConfig&) = default;
};

// A tensor of a model with task: tensor, as the config declares it.
struct TensorConfig {
  std::string name;
  oip::DataType type{oip::DataType::kFp32};
  std::vector<std::int64_t> shape;  // -1: any length
  // The place among the tensors that forward() takes or returns, from 0. Without it, the name says which tensor it is.
  std::optional<std::uint32_t> position{};
  friend bool operator==(const TensorConfig&, const TensorConfig&) = default;
};

struct ModelConfig {
  std::string name;
  Task task{Task::kDetect};
  ModelSource source{IdentitySource{}};
  std::uint32_t workers{1};
  std::vector<std::string> devices;  // empty: auto; otherwise "cpu" or "cuda:N", assigned to the workers in turn
  Precision precision{Precision::kAuto};
  std::uint32_t threads{0};  // per worker; 0: auto
  std::optional<InputSize> input_size;
  ResizeMode resize{ResizeMode::kAuto};
  BatchConfig batch;
  QueueConfig queue;
  milliseconds request_timeout{30'000};
  // A worker that has work and completes no request for this time is killed. A worker that decodes pictures gets
  // limits.max_decode_time more for each picture that it still has to decode.
  milliseconds hang_timeout{10'000};
  milliseconds load_timeout{120'000};
  AutoBool preload{AutoBool::kAuto};
  ReloadMode reload{ReloadMode::kBeside};
  RecycleConfig recycle;
  CanaryConfig canary;
  PreprocessConfig preprocess;
  DetectConfig detect;
  ClassifyConfig classify;
  ImageConfig image;
  LimitsConfig limits;
  // A model with task: tensor may declare its tensors. Any type and shape is accepted for a tensor that is not
  // declared. If `outputs` is not empty, the model gives no other outputs.
  std::vector<TensorConfig> inputs{};
  std::vector<TensorConfig> outputs{};
  // The server's `sandbox` setting, which the front-end passes to the model's processes. A model has no such key.
  SandboxMode sandbox{SandboxMode::kAuto};
  friend bool operator==(const ModelConfig&, const ModelConfig&) = default;
};

}  // namespace yolod::common
