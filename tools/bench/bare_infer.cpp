// A minimal server of prepared pictures, as the yardstick for yolod's binary form of the Open Inference Protocol. It
// loads a model of a server's config with the worker's code, on the first of its devices. It takes the threads of the
// config, or one for "auto". tools/bench/oip starts it with the worker's settings of malloc and of threads.
// One thread reads a request into memory that was allocated at start, runs the model on its pictures, and writes the
// answer that yolod would write. It has no routes, no limits, no deadlines, no second process and no batches of several
// requests.
//
//   bare_infer CONFIG MODEL
//
// It prints its address. A POST has JSON, as long as Inference-Header-Content-Length says, and the planes of
// X-Pictures pictures. With X-Seconds it runs the model in a loop for that time instead. Its answer is JSON with the
// number of passes, the seconds that the network took for them, and the median milliseconds of the whole work
// (whole_ms) and of the network alone (network_ms).
#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/clock.hpp"
#include "common/config/schema.hpp"
#include "model/load/load_model.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using yolod::common::Clock;
using yolod::model::Model;

constexpr std::size_t kMaxBodyBytes = 64U << 20U;
constexpr std::size_t kHeaderBytes = 8192;

std::unique_ptr<Model> load(const std::string& file, const std::string& name) {
  const auto read = yolod::common::load_config(file);
  if (!read.config) throw std::runtime_error(to_string(read.problems.front()));
  const auto& models = read.config->models;
  const auto found = std::find_if(models.begin(), models.end(), [&](const auto& model) { return model.name == name; });
  if (found == models.end()) throw std::runtime_error("there is no model " + name);
  yolod::model::LoadContext context;
  context.threads = std::max(1U, found->threads);
  context.device = found->devices.empty() ? "auto" : found->devices.front();
  auto model = yolod::model::load_model(*found, context);
  if (!model) throw std::runtime_error(model.error().message);
  const auto warm = (*model)->warm_up(std::array<std::size_t, 2>{1, found->batch.size_limit()});
  if (!warm) throw std::runtime_error(warm.error().message);
  return std::move(model).value();
}

std::size_t number_of(const http::fields& fields, std::string_view name) {
  const auto found = fields.find({name.data(), name.size()});
  return found == fields.end() ? 0 : std::strtoul(std::string(found->value()).c_str(), nullptr, 10);
}

std::vector<yolod::model::Output> run(Model& model, std::span<const std::byte> planes, std::size_t pictures) {
  std::vector<yolod::model::Input> inputs(pictures);
  const std::size_t size = planes.size() / pictures;
  for (std::size_t i = 0; i < pictures; ++i) {
    inputs[i].body = planes.subspan(i * size, size);
    inputs[i].kind = yolod::common::ContentKind::kPlanes;
    inputs[i].options.tensors = true;
  }
  auto outputs = model.run(inputs);
  for (const auto& output : outputs) {
    if (!output.prediction) throw std::runtime_error(output.prediction.error().message);
  }
  return outputs;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string loop(Model& model, std::span<const std::byte> planes, std::size_t pictures, std::size_t seconds) {
  std::vector<double> whole;
  std::vector<double> network;
  for (const auto start = Clock::now(); Clock::now() - start < std::chrono::seconds(seconds);) {
    const auto before = Clock::now();
    const auto outputs = run(model, planes, pictures);
    whole.push_back(std::chrono::duration<double, std::milli>(Clock::now() - before).count());
    network.push_back(outputs.front().times.infer_us / 1000.0);
  }
  const double network_s = std::accumulate(network.begin(), network.end(), 0.0) / 1000;
  return R"({"passes":)" + std::to_string(whole.size()) + R"(,"network_s":)" + std::to_string(network_s) +
         R"(,"whole_ms":)" + std::to_string(median(whole)) + R"(,"network_ms":)" + std::to_string(median(network)) +
         "}";
}

class Connection {
 public:
  Connection(tcp::socket socket, Model& model, std::span<std::byte> body)
      : socket_(std::move(socket)), model_(model), body_(body) {
    socket_.set_option(tcp::no_delay(true));
  }

  void serve() {
    beast::error_code ended;
    do {
      http::request_parser<http::empty_body> parser;
      parser.body_limit(kMaxBodyBytes);
      http::read_header(socket_, header_, parser, ended);
      if (!ended) answer(parser.get(), parser.content_length().value_or(0));
    } while (!ended);
  }

 private:
  void answer(const http::fields& fields, std::size_t size) {
    const std::size_t have = asio::buffer_copy(asio::buffer(body_.data(), size), header_.data());
    header_.consume(have);
    asio::read(socket_, asio::buffer(body_.data() + have, size - have));
    const std::size_t json_bytes = number_of(fields, "Inference-Header-Content-Length");
    const std::size_t pictures = number_of(fields, "X-Pictures");
    const std::size_t seconds = number_of(fields, "X-Seconds");
    if (pictures == 0 || json_bytes > size || size > body_.size()) throw std::runtime_error("bad request");
    const auto planes = body_.subspan(json_bytes, size - json_bytes);
    if (seconds != 0) {
      const std::string text = loop(model_, planes, pictures, seconds);
      write("application/json", text, {});
    } else {
      write_tensors(run(model_, planes, pictures));
    }
  }

  void write_tensors(const std::vector<yolod::model::Output>& outputs) {
    std::vector<asio::const_buffer> tensors;
    std::size_t bytes = 0;
    std::string shape = std::to_string(outputs.size());
    for (const auto& output : outputs) {
      const auto& list = std::get<yolod::common::TensorList>(*output.prediction);
      const auto& array = list.tensors.front().array;
      if (tensors.empty()) {
        for (const auto side : array.shape) shape += "," + std::to_string(side);
      }
      tensors.push_back(asio::buffer(array.bytes));
      bytes += array.bytes.size();
    }
    write("application/octet-stream\r\nInference-Header-Content-Length: ",
          R"({"model_name":"network","model_version":"1","outputs":[{"name":"output0","datatype":"FP32","shape":[)" +
              shape + R"(],"parameters":{"binary_data_size":)" + std::to_string(bytes) + "}}]}",
          tensors);
  }

  // Writes an answer with one call. A type that ends in a blank is followed by the length of the text.
  void write(std::string type, const std::string& text, const std::vector<asio::const_buffer>& tensors) {
    if (type.back() == ' ') type += std::to_string(text.size());
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: " + type +
                             "\r\nContent-Length: " + std::to_string(text.size() + asio::buffer_size(tensors)) +
                             "\r\n\r\n" + text;
    std::vector<asio::const_buffer> all{asio::buffer(head)};
    all.insert(all.end(), tensors.begin(), tensors.end());
    asio::write(socket_, all);
  }

  tcp::socket socket_;
  Model& model_;
  std::span<std::byte> body_;
  beast::flat_static_buffer<kHeaderBytes> header_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bare_infer CONFIG MODEL\n");
    return 2;
  }
  try {
    const auto model = load(argv[1], argv[2]);
    std::vector<std::byte> body(kMaxBodyBytes);
    asio::io_context context{1};
    tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
    std::printf("listening on http://127.0.0.1:%u\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    for (;;) Connection(acceptor.accept(), *model, body).serve();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bare_infer: %s\n", failure.what());
    return EXIT_FAILURE;
  }
}
