#include "common/config/tables.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "common/config/listen_fields.hpp"
#include "common/config/model_fields.hpp"
#include "common/domain/options.hpp"

namespace yolod::common {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kKiB = 1ULL << 10U;
constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kGiB = 1ULL << 30U;

// The shortest deadline, because a deadline of 0 would refuse every request.
constexpr milliseconds kShortest{1};
// The highest limits of access.
constexpr std::uint64_t kMostPerSecond = 1'000'000;
constexpr std::uint64_t kMostInFlight = 1'000'000;

// A key that chooses the model's source. Its map is read into a fresh T; it is written if the source is a T.
template <typename T>
Field source_field(std::string_view name, ModelSource& source) {
  Field field{name,
              [&source](ConfigReader& reader, const YamlNode& node) {
                source = T{};
                reader.read_map(node, fields_of(std::get<T>(source)));
              },
              [&source]() -> std::optional<YamlNode> {
                if (!std::holds_alternative<T>(source)) return std::nullopt;
                return write_map(fields_of(std::get<T>(source)));
              }};
  field.show_keys = show_keys_of<T>;
  return field;
}

constexpr std::uint64_t kMostConnections = 100;

// A text of the section postgres. yolod-accounts takes texts up to this length.
constexpr std::size_t kLongestSetting = 1024;

Field setting_field(std::string_view name, std::string& value) {
  Field field = string_field(name, value);
  field.read = [&value](ConfigReader& reader, const YamlNode& node) {
    auto text = reader.text_of(node, "text");
    if (!text.has_value()) return;
    if (text->empty() || text->size() > kLongestSetting) {
      reader.problem(node.mark, "a text of " + std::to_string(text->size()) + " bytes, 1 to 1024 are allowed");
      return;
    }
    value = *std::move(text);
  };
  return std::move(field).allows("text");
}

// No message shows the value, and the value is never written.
Field password_field(std::string_view name, std::string& value) {
  return Field{name,
               [&value](ConfigReader& reader, const YamlNode& node) {
                 if (node.kind != YamlNode::Kind::kScalar) {
                   reader.problem(node.mark, std::string(kind_name(node.kind)) + ", text (\"\" for none) is needed");
                 } else if (node.text.size() > kLongestSetting || node.text.find('\0') != std::string::npos) {
                   reader.problem(node.mark, "at most 1024 bytes and no NUL are allowed");
                 } else {
                   value = node.text;
                 }
               },
               {}}
      .allows("text");
}

const Choices<AutoBool> kAutoBool{{"auto", AutoBool::kAuto}, {"true", AutoBool::kTrue}, {"false", AutoBool::kFalse}};

}  // namespace

Fields fields_of(ServerConfig& server) {
  return {
      listen_field(server.listen)
          .means("The server answers requests at these addresses; port 0 lets the kernel choose."),
      admin_listen_field(server.admin_listen)
          .means("The server takes reloads here. auto is a unix socket in the runtime directory. With an address, "
                 "/status and /metrics answer here alone."),
      trusted_proxies_field(server.trusted_proxies)
          .means("The server believes proxies at these addresses which client each request comes from; unix means all "
                 "clients of unix sockets."),
      choice_field<ForwardedHeader>(
          "forwarded_header", server.forwarded_header,
          {{"x-forwarded-for", ForwardedHeader::kXForwardedFor}, {"forwarded", ForwardedHeader::kForwarded}})
          .means("The header field in which these proxies write the address of their client. The server ignores the "
                 "other field, because a client may have written it."),
      cors_field(server.cors)
          .means("These keys say which pages of other sites may use the server from a browser. Without origins none "
                 "may."),
      size_field("max_body_bytes", server.max_body_bytes, kKiB, kGiB)
          .means("A request with a larger body is refused with 413; half of memory.input_arena is the most."),
      count_field("max_connections", server.max_connections, 1, 1'000'000)
          .means("The server keeps at most this many connections open; beyond that a new one takes the place of an "
                 "idle one."),
      time_field("header_timeout", server.header_timeout, kShortest, hours(1))
          .means("A request's header must be complete within this time."),
      time_field("body_timeout", server.body_timeout, kShortest, hours(1))
          .means("A request's body must be complete within this time, and after 2 s at least 16 KiB a second must "
                 "have come."),
      time_field("write_timeout", server.write_timeout, kShortest, hours(1))
          .means("The server closes a connection whose client has not taken its answer within this time."),
      time_field("idle_timeout", server.idle_timeout, kShortest, hours(24))
          .means("The server closes a connection that has had no request for this time; keep it above the idle time of "
                 "a proxy in front."),
      time_field("drain_delay", server.drain_delay, milliseconds(0), minutes(10))
          .means("At a stop, /readyz fails for this time before the server accepts no more connections."),
      time_field("shutdown_timeout", server.shutdown_timeout, milliseconds(0), hours(1))
          .means("At a stop, requests that are not answered after this time are answered with 503."),
      tls_field(server.tls)
          .means("These keys turn on HTTPS at every TCP address of listen that does not have the key tls."),
      path_field("api_keys_file", server.api_keys_file)
          .means("This file lists the API keys that requests may carry, one name:sha256-of-key a line."),
      bool_field("insecure", server.insecure)
          .means("With true the server also starts with access.mode: open at an address that other machines can "
                 "reach, and they may use it without a key."),
      path_field("models_dir", server.models_dir)
          .means("Each folder in this folder is one more model. The server loads it when it appears or changes, and "
                 "unloads it when it vanishes."),
      path_field("state_dir", server.state_dir)
          .means("The server keeps the accounts of people in a database in this folder, which it makes. With postgres "
                 "it needs no folder; without both it has no accounts."),
  };
}

Fields fields_of(AccessConfig& access) {
  return {
      choice_field<AccessMode>("mode", access.mode, {{"open", AccessMode::kOpen}, {"keys", AccessMode::kKeys}})
          .means("With keys every request needs an API key or a session, except the page and the probes /healthz "
                 "and /readyz. With open no request to a model needs one.")
          .absent("keys with server.api_keys_file, else open"),
      time_field("max_stale", access.max_stale, milliseconds(0), hours(24))
          .means("Keys and sessions of accounts stay valid for this time while yolod-accounts is away and cannot "
                 "revoke them; then they are answered with 503."),
      section_field("per_key", access.per_key)
          .means("These keys limit the requests of each API key, and of each person with sessions and keys together; 0 "
                 "is no "
                 "limit. The own limits of a key replace these."),
      section_field("per_address", access.per_address)
          .means("These keys limit each client address: an IPv4 address, or the /64 of an IPv6 address; 0 is no "
                 "limit. The clients of a proxy count as one address, unless server.trusted_proxies names the proxy."),
      choice_field<RegisterPolicy>(
          "register", access.register_policy,
          {{"closed", RegisterPolicy::kClosed}, {"invite", RegisterPolicy::kInvite}, {"open", RegisterPolicy::kOpen}})
          .means("With closed only an admin adds people. With invite people register with an invitation. With "
                 "open every client may register.")
          .absent("open in the short form with postgres, else closed"),
      time_field("session_idle", access.session_idle, seconds(1), hours(24 * 365))
          .means("A person's session ends after this time without a request."),
      time_field("session_lifetime", access.session_lifetime, seconds(1), hours(24 * 365))
          .means("A person's session ends after this time in any case."),
      path_field("audit_log", access.audit_log)
          .means(
              "The server writes log-ins, changes of accounts and keys, reloads and refused requests to this file, as "
              "lines of JSON.")
          .absent("there is no such file")};
}

Fields fields_of(KeyLimits& limits) {
  return {count_field("requests_per_second", limits.requests_per_second, 0, kMostPerSecond)
              .means("More requests a second are refused with 429; as many may come at once."),
          count_field("requests_in_flight", limits.requests_in_flight, 0, kMostInFlight)
              .means("More requests at the same time are refused with 429.")};
}

Fields fields_of(AddressLimits& limits) {
  return {count_field("requests_per_second", limits.requests_per_second, 0, kMostPerSecond)
              .means("More requests a second are refused with 429; as many may come at once."),
          count_field("requests_in_flight", limits.requests_in_flight, 0, kMostInFlight)
              .means("More requests at the same time are refused with 429."),
          count_field("connections", limits.connections, 0, kMostInFlight)
              .means("A request on a further connection is refused with 429, and the connection is closed.")};
}

Fields fields_of(ListenAddress& listener) {
  Field tls = tls_field(listener.tls).means("These keys turn on HTTPS at this TCP address, instead of server.tls.");
  tls.write = [&listener]() -> std::optional<YamlNode> {
    if (listener.tls == TlsConfig{}) return std::nullopt;
    return write_map(fields_of(listener.tls));
  };
  return {address_field(listener.address)
              .means("The server answers requests at this address; give it or path.")
              .absent("path says it"),
          socket_path_field(listener.address)
              .means("The server makes its unix socket at this path; give it or address.")
              .absent("address says it"),
          socket_mode_field(listener.mode)
              .means("The socket's file gets this mode.")
              .absent("0660 with a group, else by the umask"),
          string_field("group", listener.group)
              .means("The socket's file gets this group, given by name or number.")
              .absent("the server's group"),
          std::move(tls)};
}

Fields fields_of(CorsConfig& cors) {
  return {origins_field(cors.origins)
              .means("Pages of these sites may send requests and read the answers; \"*\" means every site. With "
                     "access.mode: open such a page needs nothing else."),
          bool_field("credentials", cors.credentials)
              .means("With true such a page may also use the session of a person who has logged in; browsers send "
                     "the session only from the same site, such as another port of the same host."),
          time_field("max_age", cors.max_age, milliseconds(0), hours(24))
              .means("A browser may remember for this time which requests the server allows.")};
}

Fields fields_of(TlsConfig& tls) {
  return {path_field("certificate", tls.certificate)
              .means("This PEM file holds the server's certificate, followed by the certificates of intermediate "
                     "authorities."),
          path_field("key", tls.key)
              .means("This PEM file holds the certificate's private key, which other users must not be able to read."),
          path_field("client_ca", tls.client_ca)
              .means("If it is set, a client must show a certificate that an authority in this PEM file has signed.")};
}

Fields fields_of(MemoryConfig& memory) {
  return {size_field("input_arena", memory.input_arena_bytes, 64 * kKiB, 1024 * kGiB)
              .means("The bodies of all requests in flight lie in shared memory of this size.")};
}

Fields fields_of(LoggingConfig& logging) {
  return {choice_field<LogLevel>("level", logging.level,
                                 {{"trace", LogLevel::kTrace},
                                  {"debug", LogLevel::kDebug},
                                  {"info", LogLevel::kInfo},
                                  {"warning", LogLevel::kWarning},
                                  {"error", LogLevel::kError}})
              .means("The log leaves out lines that matter less than this level."),
          choice_field<LogFormat>("format", logging.format, {{"text", LogFormat::kText}, {"json", LogFormat::kJson}})
              .means("The log has lines of plain text, or one JSON object a line."),
          path_field("file", logging.file)
              .means("The log goes to this file, which USR1 reopens, and without it to stderr.")};
}

Fields fields_of(PostgresConfig& postgres) {
  return {setting_field("database", postgres.database).means("The database has this name."),
          setting_field("user", postgres.user).means("The server connects as this user of the database."),
          password_field("password", postgres.password).means("The user has this password.").absent("none"),
          path_field("password_file", postgres.password_file)
              .means("This file holds the password, in place of the key password."),
          setting_field("host", postgres.host)
              .means("The database is at this host name or address, or at the unix socket in this folder."),
          count_field("port", postgres.port, 1, 65'535).means("The database listens at this port."),
          count_field("minsize", postgres.minsize, 0, kMostConnections)
              .means("The server keeps at least this many connections to the database open."),
          count_field("maxsize", postgres.maxsize, 1, kMostConnections)
              .means("The server opens at most this many connections to the database, and one more that listens for "
                     "changes.")};
}

Fields fields_of(ModelConfig& model) {
  return {
      name_field(model.name).means("Requests (?model=NAME), metrics, logs and --set know the model by this name."),
      choice_field<Task>("task", model.task,
                         {{"detect", Task::kDetect},
                          {"classify", Task::kClassify},
                          {"image", Task::kImage},
                          {"tensor", Task::kTensor}})
          .means("With detect the model finds things in a picture, with classify it names the picture, with image it "
                 "answers with a picture, and with tensor it takes and gives arrays of numbers."),
      source_field<DarknetSource>("darknet", model.source)
          .means("The model is a Darknet network; a model has exactly one of darknet, torchscript and identity."),
      source_field<TorchScriptSource>("torchscript", model.source)
          .means("The model is a TorchScript file; docs/torchscript.md says which ones are served."),
      source_field<IdentitySource>("identity", model.source)
          .means("The model has no network and answers with the size and checksum of each body, for tests."),
      workers_field("workers", model.workers).means("This many processes serve the model."),
      device_field(model.devices)
          .means("The network runs on this device. auto is the first GPU, or the CPU where there is no GPU; the "
                 "workers share a list in turn."),
      choice_field<Precision>("precision", model.precision,
                              {{"auto", Precision::kAuto},
                               {"fp32", Precision::kFp32},
                               {"bf16", Precision::kBf16},
                               {"fp16", Precision::kFp16}})
          .means("The network computes with numbers of this kind; auto is the fastest that suits the device."),
      auto_count_field("threads", model.threads, 1, 1024)
          .means("Each worker computes with this many threads; auto shares the machine's cores among the model's "
                 "workers."),
      input_size_field("input_size", model.input_size)
          .means("The network looks at pictures of this size in pixels, one side for both or [height, width].")
          .absent("the cfg's or the file's"),
      choice_field<ResizeMode>(
          "resize", model.resize,
          {{"auto", ResizeMode::kAuto}, {"stretch", ResizeMode::kStretch}, {"letterbox", ResizeMode::kLetterbox}})
          .means("A picture is stretched to the input's size, or keeps its shape between grey bars; auto follows the "
                 "model's file."),
      section_field("batch", model.batch).means("These keys say how requests are put together for the network."),
      section_field("queue", model.queue).means("These keys limit the requests that wait for a worker."),
      time_field("request_timeout", model.request_timeout, kShortest, hours(1))
          .means("A request that is not answered within this time, replays included, is answered with 504."),
      time_field("hang_timeout", model.hang_timeout, kShortest, hours(1))
          .means("A worker that has work and completes nothing for this time is killed and replaced."),
      time_field("load_timeout", model.load_timeout, kShortest, hours(24))
          .means("A process that has not loaded the model within this time is killed."),
      choice_field("preload", model.preload, kAutoBool)
          .means("With true one process loads the model and forks the workers. With false each worker loads it. auto "
                 "is true for models that run on the CPU alone."),
      choice_field<ReloadMode>("reload", model.reload,
                               {{"beside", ReloadMode::kBeside}, {"in_place", ReloadMode::kInPlace}})
          .means("A reload loads the new workers beside the old ones, or, where memory has no room for both, after "
                 "them."),
      section_field("recycle", model.recycle)
          .means("These keys say when a worker that works is replaced by a new one."),
      section_field("canary", model.canary)
          .means("The model must pass this test before it serves, at the start and at each reload."),
      section_field("preprocess", model.preprocess)
          .means("These keys turn the bytes of a picture into the numbers that the network takes."),
      section_field("detect", model.detect).means("These keys are for detectors."),
      section_field("classify", model.classify).means("This key is for classifiers."),
      section_field("image", model.image).means("This key is for a model that answers with a picture."),
      section_field("limits", model.limits)
          .means("These keys limit the cost of one picture and the size of one answer."),
      tensors_field("inputs", model.inputs)
          .means(
              "With task: tensor the front-end refuses a request whose inputs differ from these; an input that is not "
              "in the list may have any type and shape."),
      tensors_field("outputs", model.outputs)
          .means("With task: tensor the server tells clients that the model gives these outputs, and refuses requests "
                 "for others; with an empty list any output may be requested."),
  };
}

Fields fields_of(DarknetSource& source) {
  return {
      required_path_field("cfg", source.cfg).means("This file describes the network's layers, in Darknet's syntax."),
      required_path_field("weights", source.weights)
          .means("This file holds the weights: Darknet's .weights, or a PyTorch checkpoint of Ultralytics' yolov3 "
                 "for the same cfg."),
      required_path_field("names", source.names, "data")
          .means("This file lists the labels, one a line, or is a Darknet .data file that names such a list.")};
}

Fields fields_of(TorchScriptSource& source) {
  return {required_path_field("file", source.file).means("This file holds the network, as torch.jit.save writes it."),
          path_field("names", source.names)
              .means("This file lists the labels, one a line, where the network's own file does not hold them."),
          choice_field<TorchScriptLayout>("layout", source.layout,
                                          {{"auto", TorchScriptLayout::kAuto},
                                           {"yolov5", TorchScriptLayout::kYolov5},
                                           {"yolov8", TorchScriptLayout::kYolov8},
                                           {"end_to_end", TorchScriptLayout::kEndToEnd},
                                           {"logits", TorchScriptLayout::kLogits},
                                           {"image", TorchScriptLayout::kImage}})
              .means("The network's output has this form; auto finds it out from the file and one run."),
          choice_field<BoxCoordinates>("coordinates", source.coordinates,
                                       {{"auto", BoxCoordinates::kAuto},
                                        {"pixels", BoxCoordinates::kPixels},
                                        {"fractions", BoxCoordinates::kFractions}})
              .means("A detector's boxes are in pixels of its input or in fractions of it; auto finds it out.")};
}

Fields fields_of(IdentitySource& source) {
  return {
      time_field("delay", source.delay, milliseconds(0), hours(1)).means("The model takes this time for each batch."),
      bool_field("faults", source.faults)
          .means("A body that begins with FAULT: makes the worker crash, hang or worse, so it is for tests alone."),
      time_field("load_delay", source.load_delay, milliseconds(0), hours(1))
          .means("Loading the model takes this time."),
      choice_field<IdentityLoadFault>("load_fault", source.load_fault,
                                      {{"none", IdentityLoadFault::kNone},
                                       {"exit", IdentityLoadFault::kExit},
                                       {"crash", IdentityLoadFault::kCrash},
                                       {"hang", IdentityLoadFault::kHang},
                                       {"warm_up_crash", IdentityLoadFault::kWarmUpCrash}})
          .means("Loading the model fails in this way."),
      string_field("loader_probe", source.loader_probe)
          .means("With faults: true the sealed loader tries this system call, to show that it is denied.")};
}

Fields fields_of(BatchConfig& batch) {
  return {
      auto_count_field("max_size", batch.max_size, 1, kMostInBatch)
          .means(
              "A batch has at most this many requests; auto times batches of 1, 2, 4 and 8 and takes the largest that "
              "makes a picture at least 5 % cheaper."),
      time_field("max_wait", batch.max_wait, milliseconds(0), seconds(10))
          .means("An idle worker waits this long for a batch to fill; at 0ms no request waits."),
      preferred_sizes_field(batch.preferred_sizes)
          .means("Batches have one of these sizes where enough requests wait; an empty list prefers none."),
      time_field("target_p99", batch.target_p99, milliseconds(0), minutes(1))
          .means("The server chooses size and wait so that 99 % of requests are answered within this time; 0ms "
                 "leaves them as configured."),
      count_field("max_rows", batch.max_rows, 0, kMostRows)
          .means("For task: tensor with declared inputs. The first dimension of every input and output is a batch: one "
                 "run of the network has the rows of several requests, at most this many; 0 runs each request alone.")};
}

Fields fields_of(QueueConfig& queue) {
  return {count_field("max_size", queue.max_size, 1, 65'536)
              .means("At most this many requests of each priority wait; one more is refused with 503 and Retry-After."),
          time_field("timeout", queue.timeout, milliseconds(0), hours(1))
              .means("A request that no worker has taken after this time is answered with 503.")};
}

Fields fields_of(RecycleConfig& recycle) {
  return {count_field("max_requests", recycle.max_requests, 0, std::numeric_limits<std::uint64_t>::max())
              .means("A worker is replaced after this many requests; 0 is never."),
          size_field("max_rss", recycle.max_rss_bytes, kMiB, 16 * 1024 * kGiB, true)
              .means("A worker is replaced when it takes more resident memory than this; 0 is never.")};
}

Fields fields_of(CanaryConfig& canary) {
  return {path_field("image", canary.image).means("The model is shown this picture before it serves."),
          strings_field("expect", canary.expect)
              .means("The model must find these labels in the picture, else it does not serve.")};
}

Fields fields_of(PreprocessConfig& preprocess) {
  return {
      scale_field("scale", preprocess.scale)
          .means("Each channel's byte, 0 to 255, is multiplied by this number.")
          .absent("1/255"),
      channels_field("mean", preprocess.mean, true)
          .means("These numbers are then subtracted, one from each channel in the network's order."),
      channels_field("std", preprocess.std, false)
          .means("The result is divided by these numbers, one for each channel in the network's order."),
      choice_field<ChannelOrder>("order", preprocess.order, {{"rgb", ChannelOrder::kRgb}, {"bgr", ChannelOrder::kBgr}})
          .means("The network takes its channels in this order."),
      choice_field<CropMode>("crop", preprocess.crop, {{"none", CropMode::kNone}, {"center", CropMode::kCenter}})
          .means("With center a classifier sees the middle of the picture alone."),
      real_field("crop_fraction", preprocess.crop_fraction, 0.1, 1)
          .means("With crop: center this part of the picture's shorter side is kept."),
  };
}

Fields fields_of(DetectConfig& detect) {
  return {
      real_field("confidence", detect.confidence, 0, 1)
          .means("The answer leaves out detections that are less certain than this."),
      real_field("iou", detect.iou, 0, 1)
          .means("Two boxes of one class that overlap more than this count as one thing."),
      count_field("max_detections", detect.max_detections, 1, kMaxDetections)
          .means("An answer has at most this many detections, the most certain ones."),
      bool_field("augment", detect.augment)
          .means("The network looks at each picture three times, which finds more in 2.5 to 3 times the time."),
      bool_field("annotate", detect.annotate)
          .means("Requests may ask for the picture with its boxes (?annotate=1); then each answer reserves "
                 "limits.max_result_bytes."),
      bool_field("raw", detect.raw)
          .means("With true the Open Inference Protocol has a second model NAME:raw, which takes tensors and gives the "
                 "network's output; then each answer reserves limits.max_result_bytes."),
      strings_field("classes", detect.classes)
          .means("The answer has detections with these labels alone; an empty list is all labels."),
      choice_field("multi_label", detect.multi_label, kAutoBool)
          .means("With true a box may have several labels, with false the likeliest alone; auto is true for Darknet "
                 "and follows the file for TorchScript.")};
}

Fields fields_of(ClassifyConfig& classify) {
  return {count_field("top_k", classify.top_k, 1, kMaxTopK)
              .means("An answer has this many classes, the most probable ones."),
          bool_field("raw", classify.raw)
              .means("With true the model has the output `logits` in the Open Inference Protocol, and a second model "
                     "NAME:raw takes tensors and gives the network's output; then each answer reserves "
                     "limits.max_result_bytes.")};
}

Fields fields_of(ImageConfig& image) {
  return {range_field("range", image.range).means("Black and white have these values in the network's output.")};
}

Fields fields_of(LimitsConfig& limits) {
  return {
      pixels_field("max_pixels", limits.max_pixels)
          .means("A picture with more pixels is refused with 413; MP is a million."),
      time_field("max_decode_time", limits.max_decode_time, milliseconds(10), minutes(10))
          .means("A picture that takes more processor time to decode is refused with 413."),
      size_field("max_decode_memory", limits.max_decode_memory_bytes, 16 * kMiB, 1024 * kGiB)
          .means("All pictures that one worker decodes at the same time take at most this memory, and so do the "
                 "tensors of its requests. With batch.max_rows each of the two batches that a worker holds has half "
                 "of it."),
      size_field("max_result_bytes", limits.max_result_bytes, kKiB, kGiB)
          .means("An answer that is a picture or tensors is at most this large.")};
}

Field sandbox_field(SandboxMode& mode) {
  Choices<SandboxMode> words;
  for (const auto word : {SandboxMode::kAuto, SandboxMode::kRequired, SandboxMode::kOff, SandboxMode::kReport}) {
    words.emplace_back(to_string(word), word);
  }
  return choice_field<SandboxMode>("sandbox", mode, words)
      .means(
          "The server takes files, network and system calls from its workers. auto takes what the kernel can take, "
          "required stops where the kernel cannot, off takes nothing, and report also logs each denied call.");
}

namespace {

// Checks that the batch settings of `model` fit together.
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

// Checks that a model whose requests are computed together has declared all that this needs.
void check_rows(ConfigReader& reader, const YamlNode& node, const ModelConfig& model) {
  if (model.batch.max_rows == 0 || node.find("batch") == nullptr) return;
  reader.read_below("batch", *node.find("batch"), [&model](ConfigReader& below, const YamlNode& batch) {
    const auto has_rows = [](const TensorConfig& tensor) {
      return !tensor.shape.empty() && tensor.shape.front() == -1;
    };
    const bool fits = model.task == Task::kTensor && !model.inputs.empty() &&
                      std::all_of(model.inputs.begin(), model.inputs.end(), has_rows) &&
                      std::all_of(model.outputs.begin(), model.outputs.end(), has_rows);
    if (fits) return;
    below.problem(batch.mark,
                  "max_rows needs task: tensor and inputs, and the first side of every declared shape must be -1");
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
  check_rows(reader, node, model);
  for (const std::string_view key : {"inputs", "outputs"}) {
    const bool is_empty = key == "inputs" ? model.inputs.empty() : model.outputs.empty();
    if (is_empty || model.task == Task::kTensor) continue;
    reader.read_below(key, *node.find(key), [](ConfigReader& below, const YamlNode& tensors) {
      below.problem(tensors.mark, "tensors are declared, which needs task: tensor");
    });
  }
  if (!model.canary.expect.empty() && model.canary.image.empty()) {
    reader.read_below("canary", *node.find("canary"), [](ConfigReader& below, const YamlNode& canary) {
      below.problem(canary.mark, "labels are expected but there is no image, canary.image is needed with expect");
    });
  }
}

}  // namespace yolod::common
