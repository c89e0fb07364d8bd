// yolodctl watch sends the pictures of a folder, a video or a camera through the WebSocket /stream of a running server,
// and prints or writes the answers.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdio>
#include <deque>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/http_client.hpp"
#include "tools/yolodctl/picture_source.hpp"
#include "tools/yolodctl/server_options.hpp"

namespace yolod::tools {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace json = boost::json;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using common::Outcome;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);

struct WatchOptions {
  std::string source;
  ServerOptions server;
  std::string model;
  std::string drop;  // empty: oldest for a camera, none for files
  std::optional<double> confidence;
  std::optional<unsigned> max_in_flight;
  double rate{0};  // pictures a second; 0: as they come
  std::string key_file;
  std::string out;
  bool annotate{false};
  bool json{false};
};

std::string target_of(const WatchOptions& options) {
  const bool is_camera = options.source.starts_with("/dev/");
  std::string target = "/stream?drop=" + (options.drop.empty() ? (is_camera ? "oldest" : "none") : options.drop);
  // Names of models have no other characters that a query cannot have.
  if (!options.model.empty()) {
    target += "&model=";
    for (const char c : options.model) target += c == ' ' ? std::string("%20") : std::string(1, c);
  }
  if (options.confidence) target += "&confidence=" + std::to_string(*options.confidence);
  if (options.max_in_flight) target += "&max_in_flight=" + std::to_string(*options.max_in_flight);
  if (options.annotate) target += "&annotate=1";
  return target;
}

// Returns one line for a person: "dog.jpg: dog 0.93, bicycle 0.88 (12.3 ms)".
std::string line_of(const json::object& answer) {
  std::string line(answer.contains("id") ? answer.at("id").as_string().c_str() : "?");
  line += ": ";
  if (const auto* const error = answer.if_contains("error")) {
    return line + error->at("code").as_string().c_str() + ": " + error->at("message").as_string().c_str();
  }
  std::string found;
  if (const auto* const predictions = answer.if_contains("predictions")) {
    for (const auto& one : predictions->as_array()) {
      const auto& object = one.as_object();
      const auto* const score =
          object.contains("confidence") ? object.if_contains("confidence") : object.if_contains("probability");
      char text[32];
      std::snprintf(text, sizeof text, " %.2f", score == nullptr ? 0.0 : score->to_number<double>());
      found.append(found.empty() ? "" : ", ").append(object.at("label").as_string().c_str()).append(text);
    }
    if (found.empty()) found = "nothing";
  } else {
    found = "answered";
  }
  char time[48];
  std::snprintf(time, sizeof time, " (%.1f ms", answer.at("timing_ms").at("total").to_number<double>());
  line += found + time;
  if (const auto* const dropped = answer.if_contains("dropped")) line += ", dropped " + json::serialize(*dropped);
  return line + ")";
}

// Returns the text message that names the next picture.
std::string note_of(const std::string& name) {
  constexpr std::size_t kMostIdBytes = 128;
  json::object options;
  options["id"] = name.substr(0, kMostIdBytes);
  return json::serialize(options);
}

using PlainSocket = asio::generic::stream_protocol::socket;
using TlsSocket = asio::ssl::stream<PlainSocket>;

// `Layer` is the stream below the WebSocket: PlainSocket or TlsSocket.
template <typename Layer>
class Watch {
 public:
  // `layer` are the arguments of the layer.
  template <typename... Arguments>
  Watch(asio::io_context& io, const WatchOptions& options, PictureSource& source, Arguments&... layer)
      : options_(options), source_(source), stream_(io, layer...), timer_(io) {}

  asio::awaitable<void> run(ServerUrl url, ServerPlace place, std::string key);
  // Returns the exit code.
  [[nodiscard]] int result() const { return failed_ ? 1 : 0; }

 private:
  // Returns whether the layer is connected.
  asio::awaitable<bool> connect(const ServerUrl& url, const ServerPlace& place);
  void prepare(std::string key);
  void start_sending();
  asio::awaitable<void> send_pictures();
  asio::awaitable<void> receive_answers();
  asio::awaitable<void> close();
  void take_text(std::string_view text);
  void take_file(std::string_view bytes);
  void fail(const std::string& why) {
    std::fprintf(stderr, "yolodctl: %s\n", why.c_str());
    failed_ = true;
  }

  const WatchOptions& options_;
  PictureSource& source_;
  websocket::stream<Layer, false> stream_;
  asio::steady_timer timer_;
  std::uint64_t sent_{0};
  std::uint64_t answered_{0};  // the number of the newest picture that has its answer
  std::string last_name_;      // of the picture that was answered last
  bool all_sent_{false};
  bool failed_{false};
};

template <typename Layer>
asio::awaitable<bool> Watch<Layer>::connect(const ServerUrl& url, const ServerPlace& place) {
  auto& socket = beast::get_lowest_layer(stream_);
  error_code no_connection;
  for (const auto& endpoint : place.endpoints) {
    error_code ignored;
    socket.close(ignored);
    auto [failure] = co_await socket.async_connect(endpoint, kWait);
    no_connection = failure;
    if (!failure) break;
  }
  if (no_connection) {
    fail(url.text + ": " + no_connection.message());
    co_return false;
  }
  if constexpr (std::is_same_v<Layer, TlsSocket>) {
    auto& tls = stream_.next_layer();
    const auto expected = expect_host(tls.native_handle(), place);
    if (!expected) {
      fail(url.text + ": " + expected.error().message);
      co_return false;
    }
    auto [refused] = co_await tls.async_handshake(asio::ssl::stream_base::client, kWait);
    if (refused) fail(url.text + ": " + explain_handshake(tls.native_handle(), refused));
    co_return !refused;
  }
  co_return true;
}

template <typename Layer>
asio::awaitable<void> Watch<Layer>::run(ServerUrl url, ServerPlace place, std::string key) {
  const bool is_connected = co_await connect(url, place);
  if (!is_connected) co_return;
  prepare(std::move(key));
  websocket::response_type answer;
  const std::string target = target_of(options_);
  const std::string host = host_field(url);
  auto [refused] = co_await stream_.async_handshake(answer, host, target, kWait);
  if (refused) {
    fail(url.text + ": " + (answer.body().empty() ? refused.message() : answer.body()));
    co_return;
  }
  start_sending();
  co_await receive_answers();
}

template <typename Layer>
void Watch<Layer>::prepare(std::string key) {
  constexpr std::size_t kMostAnswerBytes = 256U << 20U;
  stream_.read_message_max(kMostAnswerBytes);
  stream_.set_option(websocket::stream_base::decorator([key = std::move(key)](websocket::request_type& request) {
    request.set(beast::http::field::user_agent, "yolodctl");
    if (!key.empty()) request.set("X-API-Key", key);
  }));
}

template <typename Layer>
void Watch<Layer>::start_sending() {
  asio::co_spawn(stream_.get_executor(), send_pictures(), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

template <typename Layer>
asio::awaitable<void> Watch<Layer>::send_pictures() {
  const auto began = std::chrono::steady_clock::now();
  for (;;) {
    auto picture = co_await source_.next();
    if (!picture) {
      fail(picture.error().message);
      break;
    }
    if (!*picture) break;
    if (options_.rate > 0) {
      timer_.expires_at(began + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                    std::chrono::duration<double>(static_cast<double>(sent_) / options_.rate)));
      (void)co_await timer_.async_wait(kWait);
    }
    const std::string note = note_of((*picture)->name);
    stream_.text(true);
    auto [no_note, note_bytes] = co_await stream_.async_write(asio::buffer(note), kWait);
    if (no_note) co_return;  // the receiver tells why
    stream_.binary(true);
    ++sent_;
    auto [no_picture, bytes] = co_await stream_.async_write(asio::buffer((*picture)->bytes), kWait);
    if (no_picture) co_return;
  }
  all_sent_ = true;
  if (answered_ >= sent_) co_await close();
}

template <typename Layer>
asio::awaitable<void> Watch<Layer>::close() {
  (void)co_await stream_.async_close(websocket::close_code::normal, kWait);
}

template <typename Layer>
asio::awaitable<void> Watch<Layer>::receive_answers() {
  beast::flat_buffer buffer;
  for (;;) {
    auto [failure, bytes] = co_await stream_.async_read(buffer, kWait);
    if (failure) {
      const auto& reason = stream_.reason();
      if (!all_sent_ || answered_ < sent_) {
        fail("the stream has ended: " +
             (reason.reason.empty() ? failure.message() : std::string(reason.reason.c_str())));
      }
      co_return;
    }
    const std::string_view content(static_cast<const char*>(buffer.data().data()), buffer.size());
    stream_.got_text() ? take_text(content) : take_file(content);
    buffer.consume(buffer.size());
    // A file follows the answer that names it.
    if (all_sent_ && answered_ >= sent_) co_await close();
  }
}

template <typename Layer>
void Watch<Layer>::take_text(std::string_view text) {
  error_code failure;
  const auto value = json::parse({text.data(), text.size()}, failure);
  if (failure || !value.is_object()) return fail("the server's answer is not JSON");
  const auto& answer = value.get_object();
  if (const auto* const id = answer.if_contains("id"); id != nullptr && id->is_string()) {
    // The server must not choose the folder of a file.
    last_name_ = std::filesystem::path(id->as_string().c_str()).filename().string();
  }
  const bool has_file = answer.contains("file");
  if (const auto* const number = answer.if_contains("seq")) {
    answered_ = number->to_number<std::uint64_t>() - (has_file ? 1 : 0);
  }
  failed_ = failed_ || !answer.at("success").as_bool();
  if (!options_.out.empty()) {
    std::ofstream(std::filesystem::path(options_.out) / (last_name_ + ".json"), std::ios::binary) << text << '\n';
  }
  if (options_.json) {
    std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
  } else {
    std::printf("%s\n", line_of(answer).c_str());
  }
  std::fflush(stdout);
}

template <typename Layer>
void Watch<Layer>::take_file(std::string_view bytes) {
  ++answered_;
  if (options_.out.empty()) return;
  const auto stem = std::filesystem::path(last_name_).stem().string();
  std::ofstream(std::filesystem::path(options_.out) / (stem + ".jpg"), std::ios::binary) << bytes;
}

Outcome<std::string> read_key(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path);
  std::string key;
  if (!std::getline(file, key) || key.empty()) {
    return common::Error{common::ErrorCode::kBadRequest, path + ": its first line must be an API key"};
  }
  return key;
}

int run_watch(const WatchOptions& options) {
  const auto complain = [](const std::string& why, int code) {
    std::fprintf(stderr, "yolodctl: %s\n", why.c_str());
    return code;
  };
  auto url = parse_server_url(options.server.url);
  if (!url) return complain(url.error().message, 2);
  auto key = read_key(options.key_file);
  if (!key) return complain(key.error().message, 2);
  if (!options.out.empty()) {
    std::error_code failure;
    std::filesystem::create_directories(options.out, failure);
    if (failure) return complain(options.out + ": " + failure.message(), 1);
  }
  auto place = resolve(*url, options.server.trust);
  if (!place) {
    const bool is_usage = place.error().code == common::ErrorCode::kBadRequest;
    return complain(url->text + ": " + place.error().message, is_usage ? 2 : 1);
  }
  asio::io_context io;
  std::unique_ptr<PictureSource> source;
  if (has_pictures(options.source)) {
    auto opened = FileSource::open(options.source);
    if (!opened) return complain(opened.error().message, 1);
    source = *std::move(opened);
  } else {
    auto opened = VideoSource::open(io, options.source);
    if (!opened) return complain(opened.error().message, 1);
    source = *std::move(opened);
  }
  const auto show = [&](auto& watch) {
    asio::co_spawn(io, watch.run(*url, *place, *key), [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
    io.run();
    return watch.result();
  };
  if (place->tls == nullptr) {
    Watch<PlainSocket> watch(io, options, *source);
    return show(watch);
  }
  Watch<TlsSocket> watch(io, options, *source, *place->tls);
  return show(watch);
}

}  // namespace

void add_watch(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<WatchOptions>();
  auto* const watch = app.add_subcommand(
      "watch", "Send a folder, a video or a camera through a server's /stream, and show the answers");
  watch->add_option("source", options->source, "A folder, a picture, a video file, or /dev/videoN")->required();
  add_server_options(*watch, options->server);
  watch->add_option("--model", options->model, "The model; without it the server's default model");
  watch->add_option("--drop", options->drop, "oldest: skip pictures if the server is too slow; none: wait for it")
      ->check(CLI::IsMember({"oldest", "none"}));
  watch->add_option("--confidence", options->confidence, "Only detections of at least this confidence");
  watch->add_option("--max-in-flight", options->max_in_flight, "The most pictures that the server works on at a time");
  watch->add_option("--rate", options->rate, "Pictures a second; without it, as fast as they come");
  watch->add_option("--key-file", options->key_file, "A file whose first line is the API key");
  watch->add_option("--out", options->out,
                    "A folder for the answers, NAME.json, and for pictures that the model makes");
  watch->add_flag("--annotate", options->annotate, "Ask for the pictures with their boxes; needs detect.annotate");
  watch->add_flag("--json", options->json, "Print the answers as the server sends them");
  watch->callback([options, &exit_code] { exit_code = run_watch(*options); });
}

}  // namespace yolod::tools
