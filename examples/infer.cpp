// Sends a picture to a model by the Open Inference Protocol with Boost.Beast, and prints the answer.
//
// usage: example-infer HOST PORT MODEL PICTURE
//
// Build it alone with: g++ -std=c++20 examples/infer.cpp -o example-infer -lpthread
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

std::string read_file(const std::string& name) {
  std::ifstream stream(name, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + name);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// Returns the element of a BYTES tensor: 4 bytes of length, little-endian, and the bytes.
std::string element_of(const std::string& bytes) {
  std::string element;
  for (unsigned shift = 0; shift < 32; shift += 8) element += static_cast<char>(bytes.size() >> shift & 0xFFU);
  return element + bytes;
}

int infer(const std::string& host, const std::string& port, const std::string& model, const std::string& picture) {
  const std::string bytes = element_of(read_file(picture));
  const std::string json = R"({"inputs":[{"name":"image","shape":[1],"datatype":"BYTES",)"
                           R"("parameters":{"binary_data_size":)" +
                           std::to_string(bytes.size()) + "}}]}";
  http::request<http::string_body> request(http::verb::post, "/v2/models/" + model + "/infer", 11);
  request.set(http::field::host, host + ":" + port);
  request.set("Inference-Header-Content-Length", std::to_string(json.size()));
  request.body() = json + bytes;
  request.prepare_payload();

  asio::io_context context;
  asio::ip::tcp::socket socket(context);
  asio::connect(socket, asio::ip::tcp::resolver(context).resolve(host, port));
  socket.set_option(asio::ip::tcp::no_delay(true));
  http::write(socket, request);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> answer;
  http::read(socket, buffer, answer);
  std::cout << answer.body() << '\n';
  return answer.result() == http::status::ok ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::cerr << "usage: example-infer HOST PORT MODEL PICTURE\n";
    return 2;
  }
  try {
    return infer(arguments[1], arguments[2], arguments[3], arguments[4]);
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
  }
}
