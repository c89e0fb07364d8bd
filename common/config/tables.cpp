#include "common/config/tables.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "common/domain/options.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::common {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kKiB = 1ULL << 10U;
constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kGiB = 1ULL << 30U;

// A deadline of 0 would refuse everything, so 1 ms is the least.
constexpr milliseconds kShortest{1};

// Letters, digits, '-', '_' and '.', 64 at most: a name stands in URLs, metrics labels and --set keys.
bool is_model_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(kAllowed) == std::string_view::npos &&
         name.front() != '.' && name.front() != '-';
}

Field name_field(std::string& value) {
  return {"name",
          [&value](ConfigReader& reader, const YamlNode& node) {
            auto text = reader.text_of(node, "a name");
            if (!text.has_value()) return;
            if (!is_model_name(*text)) {
              reader.problem(node.mark, shown(*text) +
                                            " is no model name, allowed: 1 to 64 letters, digits, '-', '_' and '.', "
                                            "beginning with a letter, a digit or '_'");
            }
            value = *std::move(text);
          },
          [&value]() -> std::optional<YamlNode> { return YamlNode::string(value); }, true};
}

// A key that chooses the model's source. Its map is read into a fresh T; it is written if the source is a T.
template <typename T>
Field source_field(std::string_view name, ModelSource& source) {
  return {name,
          [&source](ConfigReader& reader, const YamlNode& node) {
            source = T{};
            reader.read_map(node, fields_of(std::get<T>(source)));
          },
          [&source]() -> std::optional<YamlNode> {
            if (!std::holds_alternative<T>(source)) return std::nullopt;
            return write_map(fields_of(std::get<T>(source)));
          }};
}

constexpr std::string_view kDeviceForms = "auto, cpu, cuda:N or a list of devices";

void read_devices(ConfigReader& reader, const YamlNode& node, std::vector<std::string>& devices) {
  constexpr std::size_t kMaxDevices = 256;
  if (node.kind != YamlNode::Kind::kSequence) {
    devices.clear();
    if (node.kind == YamlNode::Kind::kScalar && node.text == "auto") return;
    if (auto device = reader.value_of(node, kDeviceForms, parse_device)) devices.push_back(*std::move(device));
    return;
  }
  if (node.items.empty() || node.items.size() > kMaxDevices) {
    reader.problem(node.mark, "a list of " + std::to_string(node.items.size()) + ", 1 to " +
                                  std::to_string(kMaxDevices) + " devices are allowed");
    return;
  }
  devices.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&devices](ConfigReader& below, auto& item) {
      if (auto device = below.value_of(item, "cpu or cuda:N", parse_device)) devices.push_back(*std::move(device));
    });
  }
}

Field device_field(std::vector<std::string>& devices) {
  return {"device", [&devices](ConfigReader& reader, const YamlNode& node) { read_devices(reader, node, devices); },
          [&devices]() -> std::optional<YamlNode> {
            if (devices.empty()) return YamlNode::plain("auto");
            YamlNode list = YamlNode::sequence();
            for (const std::string& device : devices) list.items.push_back(YamlNode::string(device));
            return list;
          }};
}

void read_preferred_sizes(ConfigReader& reader, const YamlNode& node, std::vector<std::uint32_t>& sizes) {
  if (node.kind != YamlNode::Kind::kSequence || node.items.size() > kMostInBatch) {
    reader.problem(node.mark, "not a list of sizes, [1, 4, 8] or [] are allowed");
    return;
  }
  sizes.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&sizes](ConfigReader& below, auto& item) {
      std::uint32_t size = 0;
      count_field("", size, 1, kMostInBatch).read(below, item);
      if (size == 0) return;  // told
      if (!sizes.empty() && size <= sizes.back()) below.problem(item.mark, "sizes must rise from one to the next");
      sizes.push_back(size);
    });
  }
}

Field preferred_sizes_field(std::vector<std::uint32_t>& sizes) {
  return {"preferred_sizes",
          [&sizes](ConfigReader& reader, const YamlNode& node) { read_preferred_sizes(reader, node, sizes); },
          [&sizes]() -> std::optional<YamlNode> {
            YamlNode list = YamlNode::sequence();
            for (const auto size : sizes) list.items.push_back(YamlNode::plain(std::to_string(size)));
            return list;
          }};
}

constexpr std::uint32_t kSmallestInput = 8;
constexpr std::uint32_t kLargestInput = 8192;

// One side of an input size; 0 after reporting a problem.
std::uint32_t read_side(ConfigReader& reader, const YamlNode& node) {
  std::uint32_t side = 0;
  count_field("", side, kSmallestInput, kLargestInput).read(reader, node);
  return side;
}

void read_input_size(ConfigReader& reader, const YamlNode& node, std::optional<InputSize>& size) {
  if (node.kind != YamlNode::Kind::kSequence) {
    const std::uint32_t side = read_side(reader, node);
    size = InputSize{side, side};
    return;
  }
  if (node.items.size() != 2) {
    reader.problem(node.mark,
                   "a list of " + std::to_string(node.items.size()) + ", one number or [height, width] is allowed");
    return;
  }
  InputSize read;
  reader.read_below("[0]", node.items[0],
                    [&](ConfigReader& below, auto& item) { read.height = read_side(below, item); });
  reader.read_below("[1]", node.items[1],
                    [&](ConfigReader& below, auto& item) { read.width = read_side(below, item); });
  size = read;
}

// Bounds far beyond any normalisation in use; they keep every product finite in fp32.
constexpr double kLargestFactor = 1e6;

void read_scale(ConfigReader& reader, const YamlNode& node, double& scale) {
  const auto value = reader.value_of(node, "a number or a fraction such as 1/255", parse_fraction);
  if (!value.has_value()) return;
  if (*value <= 0 || *value > kLargestFactor) {
    reader.problem(node.mark, shown(node.text) + " is out of range, allowed: more than 0, at most 1000000");
  } else {
    scale = *value;
  }
}

// One number for each channel, in the network's order.
Field channels_field(std::string_view name, std::array<double, 3>& value, bool zero_allowed) {
  return {name,
          [&value, zero_allowed](ConfigReader& reader, const YamlNode& node) {
            if (node.kind != YamlNode::Kind::kSequence || node.items.size() != value.size()) {
              reader.problem(node.mark, "not a list of three numbers, one for each channel is needed");
              return;
            }
            for (std::size_t i = 0; i < value.size(); ++i) {
              reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&](ConfigReader& below, auto& item) {
                double number = 1;
                real_field("", number, -kLargestFactor, kLargestFactor).read(below, item);
                if (number == 0 && !zero_allowed) {
                  below.problem(item.mark, "0 is not allowed, pixels are divided by it");
                } else {
                  value[i] = number;
                }
              });
            }
          },
          [&value]() -> std::optional<YamlNode> {
            YamlNode list = YamlNode::sequence();
            for (const double number : value) list.items.push_back(YamlNode::plain(format_real(number)));
            return list;
          }};
}

// What stands for black and for white.
void read_range(ConfigReader& reader, const YamlNode& node, std::array<double, 2>& range) {
  if (node.kind != YamlNode::Kind::kSequence || node.items.size() != range.size()) {
    reader.problem(node.mark, "not a list of two numbers, [black, white] is needed");
    return;
  }
  std::array<double, 2> read{0, 1};
  for (std::size_t i = 0; i < read.size(); ++i) {
    reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&](ConfigReader& below, auto& item) {
      real_field("", read[i], -kLargestFactor, kLargestFactor).read(below, item);
    });
  }
  if (read[0] == read[1]) {
    reader.problem(node.mark, "black and white are the same number, two different ones are needed");
    return;
  }
  range = read;
}

Field pixels_field(std::string_view name, std::uint64_t& value) {
  constexpr std::uint64_t kMostPixels = 4'000'000'000;
  return {name,
          [&value](ConfigReader& reader, const YamlNode& node) {
            const auto pixels = reader.value_of(node, "a number of pixels such as 100MP", parse_pixels);
            if (!pixels.has_value()) return;
            if (*pixels < 1 || *pixels > kMostPixels) {
              reader.problem(node.mark, shown(node.text) + " is out of range, allowed: 1 to 4000MP");
            } else {
              value = *pixels;
            }
          },
          [&value]() -> std::optional<YamlNode> { return YamlNode::plain(std::to_string(value)); }};
}

// "0660" and the like: octal, as chmod takes it.
Outcome<std::uint32_t> parse_file_mode(std::string_view text) {
  std::uint32_t mode = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  constexpr std::uint32_t kMost = 0777;
  if (failure != std::errc{} || end != text.data() + text.size() || mode > kMost) {
    return Error{ErrorCode::kBadConfig,
                 shown(text) + " is not a mode, allowed: an octal number up to 0777 such as 0660"};
  }
  return mode;
}

// {path: /run/yolod/http.sock, mode: 0660, group: www-data}
void read_unix_listener(ConfigReader& reader, const YamlNode& node, ListenAddress& listener) {
  reader.read_map(node, {{"path",
                          [&listener](ConfigReader& below, const YamlNode& path) {
                            const auto text = below.text_of(path, "a socket's path such as /run/yolod/http.sock");
                            if (!text.has_value()) return;
                            auto address = parse_listen_address("unix:" + *text);
                            if (!address) return below.problem(path.mark, address.error().message);
                            listener.address = *std::move(address);
                          },
                          {},
                          true},
                         {"mode",
                          [&listener](ConfigReader& below, const YamlNode& mode) {
                            listener.mode = below.value_of(mode, "an octal number such as 0660", parse_file_mode);
                          },
                          {}},
                         string_field("group", listener.group)});
}

std::optional<ListenAddress> read_listener(ConfigReader& reader, const YamlNode& node) {
  ListenAddress listener;
  if (node.kind == YamlNode::Kind::kMap) {
    read_unix_listener(reader, node, listener);
  } else if (auto address = reader.value_of(node, "an address such as 127.0.0.1:8080, or a map with a socket's path,",
                                            parse_listen_address)) {
    listener.address = *std::move(address);
  }
  if (listener.address.empty()) return std::nullopt;
  return listener;
}

void read_listen(ConfigReader& reader, const YamlNode& node, std::vector<ListenAddress>& listen) {
  constexpr std::size_t kMaxListeners = 64;
  if (node.kind != YamlNode::Kind::kSequence) {
    if (auto listener = read_listener(reader, node)) listen = {*std::move(listener)};
    return;
  }
  if (node.items.empty() || node.items.size() > kMaxListeners) {
    reader.problem(node.mark, "a list of " + std::to_string(node.items.size()) + ", 1 to " +
                                  std::to_string(kMaxListeners) + " addresses are allowed");
    return;
  }
  listen.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    reader.read_below(
        '[' + std::to_string(i) + ']', node.items[i], [&listen](ConfigReader& below, const YamlNode& item) {
          auto listener = read_listener(below, item);
          if (!listener) return;
          const bool is_there = std::any_of(listen.begin(), listen.end(), [&listener](const ListenAddress& other) {
            return other.address == listener->address;
          });
          // Port 0 is another port each time.
          if (is_there && !listener->address.ends_with(":0")) {
            below.problem(item.mark, shown(listener->address) + " is in the list twice, each address is allowed once");
          }
          listen.push_back(*std::move(listener));
        });
  }
}

Field admin_listen_field(std::string& value) {
  Field field = string_field("admin_listen", value);
  field.read = [&value](ConfigReader& reader, const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kScalar && (node.text.empty() || node.text == kAdminListenAuto)) {
      value = node.text;
    } else if (auto address = reader.value_of(node, "auto, an address (\"\" for none)", parse_listen_address)) {
      value = *std::move(address);
    }
  };
  return field;
}

const Choices<AutoBool> kAutoBool{{"auto", AutoBool::kAuto}, {"true", AutoBool::kTrue}, {"false", AutoBool::kFalse}};

}  // namespace

Fields fields_of(ServerConfig& server) {
  return {
      {"listen",
       [&server](ConfigReader& reader, const YamlNode& node) { read_listen(reader, node, server.listen); },
       {}},
      admin_listen_field(server.admin_listen),
      size_field("max_body_bytes", server.max_body_bytes, kKiB, kGiB),
      count_field("max_connections", server.max_connections, 1, 1'000'000),
      time_field("header_timeout", server.header_timeout, kShortest, hours(1)),
      time_field("body_timeout", server.body_timeout, kShortest, hours(1)),
      time_field("write_timeout", server.write_timeout, kShortest, hours(1)),
      time_field("idle_timeout", server.idle_timeout, kShortest, hours(24)),
      time_field("drain_delay", server.drain_delay, milliseconds(0), minutes(10)),
      time_field("shutdown_timeout", server.shutdown_timeout, milliseconds(0), hours(1)),
      section_field("tls", server.tls),
      path_field("api_keys_file", server.api_keys_file),
  };
}

Fields fields_of(TlsConfig& tls) {
  return {path_field("certificate", tls.certificate), path_field("key", tls.key),
          path_field("client_ca", tls.client_ca)};
}

Fields fields_of(MemoryConfig& memory) {
  return {size_field("input_arena", memory.input_arena_bytes, 64 * kKiB, 1024 * kGiB)};
}

Fields fields_of(LoggingConfig& logging) {
  return {choice_field<LogLevel>("level", logging.level,
                                 {{"trace", LogLevel::kTrace},
                                  {"debug", LogLevel::kDebug},
                                  {"info", LogLevel::kInfo},
                                  {"warning", LogLevel::kWarning},
                                  {"error", LogLevel::kError}}),
          choice_field<LogFormat>("format", logging.format, {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}),
          path_field("file", logging.file)};
}

Fields fields_of(ModelConfig& model) {
  return {
      name_field(model.name),
      choice_field<Task>("task", model.task,
                         {{"detect", Task::kDetect},
                          {"classify", Task::kClassify},
                          {"image", Task::kImage},
                          {"tensor", Task::kTensor}}),
      source_field<DarknetSource>("darknet", model.source),
      source_field<TorchScriptSource>("torchscript", model.source),
      source_field<IdentitySource>("identity", model.source),
      workers_field("workers", model.workers),
      device_field(model.devices),
      choice_field<Precision>("precision", model.precision,
                              {{"auto", Precision::kAuto},
                               {"fp32", Precision::kFp32},
                               {"bf16", Precision::kBf16},
                               {"fp16", Precision::kFp16}}),
      auto_count_field("threads", model.threads, 1, 1024),
      input_size_field("input_size", model.input_size),
      choice_field<ResizeMode>(
          "resize", model.resize,
          {{"auto", ResizeMode::kAuto}, {"stretch", ResizeMode::kStretch}, {"letterbox", ResizeMode::kLetterbox}}),
      section_field("batch", model.batch),
      section_field("queue", model.queue),
      time_field("request_timeout", model.request_timeout, kShortest, hours(1)),
      time_field("hang_timeout", model.hang_timeout, kShortest, hours(1)),
      time_field("load_timeout", model.load_timeout, kShortest, hours(24)),
      choice_field("preload", model.preload, kAutoBool),
      choice_field<ReloadMode>("reload", model.reload,
                               {{"beside", ReloadMode::kBeside}, {"in_place", ReloadMode::kInPlace}}),
      section_field("recycle", model.recycle),
      section_field("canary", model.canary),
      section_field("preprocess", model.preprocess),
      section_field("detect", model.detect),
      section_field("classify", model.classify),
      section_field("image", model.image),
      section_field("limits", model.limits),
  };
}

Fields fields_of(DarknetSource& source) {
  return {required_path_field("cfg", source.cfg), required_path_field("weights", source.weights),
          required_path_field("names", source.names, "data")};
}

Fields fields_of(TorchScriptSource& source) {
  return {required_path_field("file", source.file), path_field("names", source.names),
          choice_field<TorchScriptLayout>("layout", source.layout,
                                          {{"auto", TorchScriptLayout::kAuto},
                                           {"yolov5", TorchScriptLayout::kYolov5},
                                           {"yolov8", TorchScriptLayout::kYolov8},
                                           {"end_to_end", TorchScriptLayout::kEndToEnd},
                                           {"logits", TorchScriptLayout::kLogits},
                                           {"image", TorchScriptLayout::kImage}}),
          choice_field<BoxCoordinates>("coordinates", source.coordinates,
                                       {{"auto", BoxCoordinates::kAuto},
                                        {"pixels", BoxCoordinates::kPixels},
                                        {"fractions", BoxCoordinates::kFractions}})};
}

Fields fields_of(IdentitySource& source) {
  return {time_field("delay", source.delay, milliseconds(0), hours(1)), bool_field("faults", source.faults),
          time_field("load_delay", source.load_delay, milliseconds(0), hours(1)),
          choice_field<IdentityLoadFault>("load_fault", source.load_fault,
                                          {{"none", IdentityLoadFault::kNone},
                                           {"exit", IdentityLoadFault::kExit},
                                           {"crash", IdentityLoadFault::kCrash},
                                           {"hang", IdentityLoadFault::kHang},
                                           {"warm_up_crash", IdentityLoadFault::kWarmUpCrash}}),
          string_field("loader_probe", source.loader_probe)};
}

Fields fields_of(BatchConfig& batch) {
  return {auto_count_field("max_size", batch.max_size, 1, kMostInBatch),
          time_field("max_wait", batch.max_wait, milliseconds(0), seconds(10)),
          preferred_sizes_field(batch.preferred_sizes),
          time_field("target_p99", batch.target_p99, milliseconds(0), minutes(1))};
}

Fields fields_of(QueueConfig& queue) {
  return {count_field("max_size", queue.max_size, 1, 65'536),
          time_field("timeout", queue.timeout, milliseconds(0), hours(1))};
}

Fields fields_of(RecycleConfig& recycle) {
  return {count_field("max_requests", recycle.max_requests, 0, std::numeric_limits<std::uint64_t>::max()),
          size_field("max_rss", recycle.max_rss_bytes, kMiB, 16 * 1024 * kGiB, true)};
}

Fields fields_of(CanaryConfig& canary) {
  return {path_field("image", canary.image), strings_field("expect", canary.expect)};
}

Fields fields_of(PreprocessConfig& preprocess) {
  return {
      {"scale",
       [&preprocess](ConfigReader& reader, const YamlNode& node) { read_scale(reader, node, preprocess.scale); },
       [&preprocess]() -> std::optional<YamlNode> { return YamlNode::plain(format_real(preprocess.scale)); }},
      channels_field("mean", preprocess.mean, true),
      channels_field("std", preprocess.std, false),
      choice_field<ChannelOrder>("order", preprocess.order, {{"rgb", ChannelOrder::kRgb}, {"bgr", ChannelOrder::kBgr}}),
      choice_field<CropMode>("crop", preprocess.crop, {{"none", CropMode::kNone}, {"center", CropMode::kCenter}}),
      real_field("crop_fraction", preprocess.crop_fraction, 0.1, 1),
  };
}

Fields fields_of(DetectConfig& detect) {
  return {real_field("confidence", detect.confidence, 0, 1),
          real_field("iou", detect.iou, 0, 1),
          count_field("max_detections", detect.max_detections, 1, 30'000),
          bool_field("augment", detect.augment),
          bool_field("annotate", detect.annotate),
          strings_field("classes", detect.classes),
          choice_field("multi_label", detect.multi_label, kAutoBool)};
}

Fields fields_of(ClassifyConfig& classify) { return {count_field("top_k", classify.top_k, 1, kMaxTopK)}; }

Fields fields_of(ImageConfig& image) {
  return {{"range", [&image](ConfigReader& reader, const YamlNode& node) { read_range(reader, node, image.range); },
           [&image]() -> std::optional<YamlNode> {
             YamlNode list = YamlNode::sequence();
             for (const double number : image.range) list.items.push_back(YamlNode::plain(format_real(number)));
             return list;
           }}};
}

Fields fields_of(LimitsConfig& limits) {
  return {pixels_field("max_pixels", limits.max_pixels),
          time_field("max_decode_time", limits.max_decode_time, milliseconds(10), minutes(10)),
          size_field("max_decode_memory", limits.max_decode_memory_bytes, 16 * kMiB, 1024 * kGiB),
          size_field("max_result_bytes", limits.max_result_bytes, kKiB, kGiB)};
}

Field workers_field(std::string_view name, std::uint32_t& workers) {
  return count_field(name, workers, 1, kMostWorkers);
}

Field input_size_field(std::string_view name, std::optional<InputSize>& size) {
  return {name, [&size](ConfigReader& reader, const YamlNode& node) { read_input_size(reader, node, size); },
          [&size]() -> std::optional<YamlNode> {
            if (!size.has_value()) return std::nullopt;
            YamlNode list = YamlNode::sequence();
            list.items.push_back(YamlNode::plain(std::to_string(size->height)));
            list.items.push_back(YamlNode::plain(std::to_string(size->width)));
            return list;
          }};
}

namespace {

// `model`'s batch settings, as they fit together.
void check_batch(ConfigReader& reader, const YamlNode& model, const BatchConfig& batch) {
  const YamlNode* const node = model.find("batch");
  if (node == nullptr) return;
  reader.read_below("batch", *node, [&batch](ConfigReader& below, const YamlNode& at) {
    if (!batch.preferred_sizes.empty() && batch.preferred_sizes.back() > batch.size_limit()) {
      below.problem(at.mark, "a preferred size is larger than max_size (" +
                                 (batch.max_size == 0 ? "auto goes up to " : std::string()) +
                                 std::to_string(batch.size_limit()) + ")");
    }
    if (batch.target_p99.count() != 0 && batch.max_wait.count() != 0) {
      below.problem(at.mark, "target_p99 chooses the wait: max_wait must be 0ms with it");
    }
  });
}

}  // namespace

void read_model(ConfigReader& reader, const YamlNode& node, ModelConfig& model, const Fields& more) {
  Fields fields = fields_of(model);
  fields.insert(fields.end(), more.begin(), more.end());
  reader.read_map(node, fields);
  if (node.kind != YamlNode::Kind::kMap) return;
  constexpr std::array<std::string_view, 3> kSources{"darknet", "torchscript", "identity"};
  const auto given = std::count_if(kSources.begin(), kSources.end(),
                                   [&node](std::string_view source) { return node.find(source) != nullptr; });
  if (given != 1) {
    reader.problem(node.mark, std::string(given == 0 ? "the model has no source" : "the model has several sources") +
                                  ", exactly one of darknet, torchscript, identity is needed");
  }
  check_batch(reader, node, model.batch);
  if (!model.canary.expect.empty() && model.canary.image.empty()) {
    reader.read_below("canary", *node.find("canary"), [](ConfigReader& below, const YamlNode& canary) {
      below.problem(canary.mark, "labels are expected but there is no image, canary.image is needed with expect");
    });
  }
}

}  // namespace yolod::common
