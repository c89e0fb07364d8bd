#include "tests/support/camera_clients.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

namespace yolod::tests {
namespace {

namespace json = boost::json;
using Labels = std::vector<std::string>;

constexpr const char* kFailed = "failed: ";
constexpr std::size_t kFrigateRows = 20;
constexpr double kFrigateLeast = 0.4;

Labels failed(const std::string& why) { return {kFailed + why}; }

// Returns the member if it is there and `is_right`, or null.
template <typename Check>
const json::value* member(const json::value& value, const char* name, Check is_right) {
  const json::value* const found = value.is_object() ? value.get_object().if_contains(name) : nullptr;
  return found != nullptr && is_right(*found) ? found : nullptr;
}
bool is_number(const json::value& value) { return value.is_number(); }
bool is_whole(const json::value& value) { return value.is_int64(); }
bool is_text(const json::value& value) { return value.is_string(); }
bool is_list(const json::value& value) { return value.is_array(); }
std::string text_of(const json::value& value) { return {value.get_string().data(), value.get_string().size()}; }

// ---- the bytes of HTTP libraries ----

// A request as Python's requests sends it.
std::string requests_head(const std::string& method, const std::string& target, const std::string& type,
                          std::size_t body_bytes, const std::string& more = "") {
  return method + " " + target +
         " HTTP/1.1\r\nHost: 127.0.0.1:5000\r\nUser-Agent: python-requests/2.32.3\r\nAccept-Encoding: gzip, deflate\r\n"
         "Accept: */*\r\nConnection: keep-alive\r\n" +
         more + (method == "GET" ? "" : "Content-Length: " + std::to_string(body_bytes) + "\r\n") +
         (type.empty() ? "" : "Content-Type: " + type + "\r\n") + "\r\n";
}

std::string dotnet_head(const std::string& target, const std::string& boundary, std::size_t body_bytes,
                        const std::string& more = "") {
  return "POST " + target + " HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n" + more +
         "Content-Type: multipart/form-data; boundary=\"" + boundary +
         "\"\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
}

std::string part(const std::string& boundary, const std::string& headers, const std::string& content) {
  return "--" + boundary + "\r\n" + headers + "\r\n\r\n" + content + "\r\n";
}
std::string end_of(const std::string& boundary) { return "--" + boundary + "--\r\n"; }

std::string field(const std::string& name) { return "Content-Disposition: form-data; name=\"" + name + '"'; }
// .NET writes names without quotes, and the type of a text.
std::string dotnet_text(const std::string& name) {
  return "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=" + name;
}
std::string dotnet_image(const std::string& file) {
  return "Content-Disposition: form-data; name=image; filename=" + file + "; filename*=utf-8''" + file;
}

Answer refused() {
  Answer answer;
  answer.failure = Failure::kRefused;
  return answer;
}

Answer send_bytes(HttpClient& client, const std::string& bytes) {
  if (!client.connect()) return refused();
  (void)client.write(bytes);
  return client.read_answer();
}

// Sends the head, waits for "100 Continue" or a moment, and then sends the body.
Answer send_after_continue(HttpClient& client, const std::string& head, const std::string& body) {
  if (!client.connect()) return refused();
  (void)client.write(head);
  const auto patience = Clock::now() + scaled(1000ms);
  while (!client.has_unread_bytes() && Clock::now() < patience) {
  }
  (void)client.write(body);
  return client.read_answer();
}

// ---- DeepStack ----

// Reads predictions that have whole pixels.
Labels read_predictions(const json::value& answer) {
  const auto* const predictions = member(answer, "predictions", is_list);
  if (predictions == nullptr) return failed("no predictions");
  Labels labels;
  for (const auto& one : predictions->get_array()) {
    for (const char* edge : {"x_min", "y_min", "x_max", "y_max"}) {
      if (member(one, edge, is_whole) == nullptr) return failed(std::string(edge) + " is no whole number");
    }
    const auto* const label = member(one, "label", is_text);
    if (label == nullptr || member(one, "confidence", is_number) == nullptr) return failed("no label or confidence");
    labels.push_back(text_of(*label));
  }
  return labels;
}

Labels read_success(const Answer& answer) {
  if (answer.status != 200) return failed(describe(answer));
  const auto value = answer.json();
  const auto* const success = member(value, "success", [](const auto& one) { return one.is_bool(); });
  if (success == nullptr || !success->get_bool()) return failed("no success: " + answer.body);
  return read_predictions(value);
}

Labels ask_deepstack_python(HttpClient& client, const std::string& picture, const std::string& key) {
  const std::string boundary = "b63f5e2c9d7a4f10a0c1d2e3f4a5b6c7";
  const auto body = part(boundary, field("api_key"), key) + part(boundary, field("min_confidence"), "0.45") +
                    part(boundary, field("image") + "; filename=\"image\"", picture) + end_of(boundary);
  const auto answer = send_bytes(
      client,
      requests_head("POST", "/v1/vision/detection", "multipart/form-data; boundary=" + boundary, body.size()) + body);
  if (answer.status != 200) return failed(describe(answer));
  return read_predictions(answer.json());
}

// Frigate copies the predictions to an array of 20 rows, up to the first below 0.4 or with a label that it does not
// know.
Labels ask_frigate(HttpClient& client, const std::string& picture, const std::string& key) {
  const std::string boundary = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
  const auto body = part(boundary, field("api_key"), key) +
                    part(boundary, field("image") + "; filename=\"image\"", picture) + end_of(boundary);
  const auto answer = send_bytes(
      client,
      requests_head("POST", "/v1/vision/detection", "multipart/form-data; boundary=" + boundary, body.size()) + body);
  const auto value = answer.json();
  if (!value.is_object()) return failed("no JSON: " + describe(answer));
  // Frigate's loop does not see a missing list, but then it sees nothing.
  const auto all = read_predictions(value);
  if (!failure_of(all).empty()) return failed(describe(answer));
  if (all.size() > kFrigateRows) return failed("IndexError: " + std::to_string(all.size()) + " predictions");
  Labels labels;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (value.at("predictions").at(i).at("confidence").to_number<double>() < kFrigateLeast) break;
    labels.push_back(all[i]);
  }
  return labels;
}

Labels ask_aitool(HttpClient& client, const std::string& picture, const std::string& key) {
  const std::string boundary = "7f3c3a5e-9b1d-4c55-8a0f-1f6b0c2d3e4f";
  const auto body = part(boundary, dotnet_image("cam.jpg"), picture) +
                    part(boundary, dotnet_text("min_confidence"), "0.33") +
                    (key.empty() ? "" : part(boundary, dotnet_text("api_key"), key)) + end_of(boundary);
  const auto answer = send_bytes(client, dotnet_head("/v1/vision/detection", boundary, body.size()) + body);
  const auto value = answer.json();
  if (!value.is_object()) return failed("no JSON: " + describe(answer));
  if (const auto* const error = member(value, "error", is_text); error != nullptr && !error->get_string().empty()) {
    return failed(text_of(*error));
  }
  for (const char* number : {"count", "inferenceMs", "processMs", "analysisRoundTripMs"}) {
    if (member(value, number, is_whole) == nullptr) return failed(std::string(number) + " is no whole number");
  }
  return read_success(answer);
}

// In some countries SynoAI writes a decimal comma.
Labels ask_synoai(HttpClient& client, const std::string& picture, const std::string& key) {
  const std::string boundary = "5d41402a-bc4b-2a76-b971-9d911017c592";
  const auto body = part(boundary, dotnet_image("image"), picture) +
                    part(boundary, dotnet_text("min_confidence"), "0,45") +
                    (key.empty() ? "" : part(boundary, dotnet_text("api_key"), key)) + end_of(boundary);
  return read_success(send_after_continue(
      client, dotnet_head("/v1/vision/detection", boundary, body.size(), "Expect: 100-continue\r\n"), body));
}

Labels ask_node_red(HttpClient& client, const std::string& picture, const std::string& key) {
  const std::string boundary = "--------------------------515890814546601021194782";
  const auto body = part(boundary, field("image") + "; filename=\"image.jpg\"\r\nContent-Type: image/jpeg", picture) +
                    part(boundary, field("min_confidence"), "0.5") +
                    (key.empty() ? "" : part(boundary, field("api_key"), key)) + end_of(boundary);
  const auto answer = send_bytes(
      client, "POST /v1/vision/detection HTTP/1.1\r\ncontent-type: multipart/form-data; boundary=" + boundary +
                  "\r\nHost: 127.0.0.1:5000\r\ncontent-length: " + std::to_string(body.size()) +
                  "\r\nConnection: keep-alive\r\n\r\n" + body);
  if (member(answer.json(), "duration", is_number) == nullptr) return failed("no duration: " + describe(answer));
  return read_success(answer);
}

// Agent DVR asks for the models, and then sends pictures to one of them.
Labels ask_agent_dvr(HttpClient& client, const std::string& model, const std::string& picture, const std::string& key) {
  const auto list =
      send_bytes(client, "POST /v1/vision/custom/list HTTP/1.1\r\nHost: 127.0.0.1:32168\r\n" +
                             (key.empty() ? "" : "X-API-Key: " + key + "\r\n") + "Content-Length: 0\r\n\r\n");
  const auto models = list.json();
  const auto* const names = member(models, "models", is_list);
  if (names == nullptr) return failed("no models: " + describe(list));
  const auto is_model = [&model](const json::value& name) { return name == json::value(model); };
  if (std::none_of(names->get_array().begin(), names->get_array().end(), is_model)) return failed("no such model");
  const std::string boundary = "e4d909c2-90d0-fb1c-a068-ffaddf22cbd0";
  const auto body = part(boundary, dotnet_text("min_confidence"), "0.4") +
                    part(boundary, dotnet_image("snap.jpg"), picture) +
                    (key.empty() ? "" : part(boundary, dotnet_text("api_key"), key)) + end_of(boundary);
  return read_success(send_bytes(client, dotnet_head("/v1/vision/custom/" + model, boundary, body.size()) + body));
}

// ---- DOODS ----

// Home Assistant asks for the detectors when it starts.
Labels ask_pydoods(HttpClient& client, const std::string& picture, const std::string& key) {
  const std::string auth = key.empty() ? "" : "doods-auth-key: " + key + "\r\n";
  const auto list = send_bytes(client, requests_head("GET", "/detectors", "", 0, auth));
  if (list.status != 200) return failed(describe(list));
  const auto detectors = list.json();
  const auto* const all = member(detectors, "detectors", is_list);
  if (all == nullptr) return failed("no detectors");
  const auto is_default = [](const json::value& one) { return one.at("name") == "default"; };
  if (std::none_of(all->get_array().begin(), all->get_array().end(), is_default)) return failed("no default detector");
  const auto body = R"({"data": ")" + to_base64(picture) + R"(", "detect": {"*": 50, "person": 45.5}})";
  const auto answer =
      send_bytes(client, requests_head("POST", "/detect", "application/json", body.size(), auth) + body);
  if (answer.status != 200) return failed(describe(answer));
  const auto value = answer.json();
  if (value.is_object() && value.get_object().contains("error")) return failed(answer.body);
  const auto* const detections = member(value, "detections", is_list);
  if (detections == nullptr) return failed("no detections");
  Labels labels;
  for (const auto& one : detections->get_array()) {
    for (const char* edge : {"top", "left", "bottom", "right"}) {
      const auto* const number = member(one, edge, is_number);
      if (number == nullptr || !(number->to_number<double>() >= 0 && number->to_number<double>() <= 1)) {
        return failed(std::string(edge) + " is no fraction");
      }
    }
    const double percent = one.at("confidence").to_number<double>();
    if (!(percent >= 45.5 && percent <= 100)) return failed("a wrong percent");
    labels.push_back(text_of(one.at("label")));
  }
  return labels;
}

// ---- Roboflow ----

Labels read_roboflow(const Answer& answer) {
  if (answer.status != 200) return failed(describe(answer));
  const auto value = answer.json();
  const auto* const predictions = member(value, "predictions", is_list);
  if (predictions == nullptr) return failed("no predictions");
  const double width = value.at("image").at("width").to_number<double>();
  const double height = value.at("image").at("height").to_number<double>();
  Labels labels;
  for (const auto& one : predictions->get_array()) {
    const auto is_within = [&one](const char* centre, const char* size, double most) {
      const double at = one.at(centre).to_number<double>();
      const double half = one.at(size).to_number<double>() / 2;
      return at - half >= -0.02 && at + half <= most + 0.02;
    };
    if (!is_within("x", "width", width) || !is_within("y", "height", height)) return failed("a box leaves the picture");
    if (!one.at("class_id").is_int64() || one.at("detection_id").as_string().empty()) return failed("a wrong id");
    labels.push_back(text_of(one.at("class")));
  }
  return labels;
}

// The client's mode "v0", and the command lines of Roboflow's documentation.
Labels ask_roboflow_v0(HttpClient& client, const std::string& model, const std::string& picture,
                       const std::string& key) {
  const auto body = to_base64(picture);
  return read_roboflow(send_bytes(client, requests_head("POST", "/" + model + "/1?api_key=" + key + "&confidence=0.45",
                                                        "application/json", body.size()) +
                                              body));
}

Labels ask_roboflow_form(HttpClient& client, const std::string& model, const std::string& picture,
                         const std::string& key) {
  const std::string boundary = "3858f62230ac3c915f300c664312c63f";
  const auto body = part(boundary, field("file") + "; filename=\"photo.jpg\"\r\nContent-Type: image/jpeg", picture) +
                    end_of(boundary);
  return read_roboflow(send_bytes(client, requests_head("POST", "/" + model + "/1?api_key=" + key + "&confidence=45",
                                                        "multipart/form-data; boundary=" + boundary, body.size()) +
                                              body));
}

// The client's mode "v1", which asks for the models first.
Labels ask_roboflow_v1(HttpClient& client, const std::string& model, const std::string& picture,
                       const std::string& key) {
  const std::string more = key.empty() ? "" : "Authorization: Bearer " + key + "\r\n";
  const auto registry = send_bytes(client, requests_head("GET", "/model/registry", "", 0, more));
  if (registry.status != 200) return failed(describe(registry));
  const std::string id = model + "/1";
  const auto models = registry.json().at("models").as_array();
  const auto is_model = [&id](const json::value& one) {
    return one.at("model_id") == json::value(id) && one.at("task_type") == "object-detection";
  };
  if (std::none_of(models.begin(), models.end(), is_model)) return failed("no such model");
  const auto body = R"({"api_key": ")" + key + R"(", "model_id": ")" + id +
                    R"(", "confidence": 0.45, "image": {"type": "base64", "value": ")" + to_base64(picture) + "\"}}";
  return read_roboflow(
      send_bytes(client, requests_head("POST", "/infer/object_detection", "application/json", body.size()) + body));
}

}  // namespace

std::vector<CameraClient> camera_clients(const std::string& model) {
  const auto with_model = [&model](auto ask) {
    return [ask, model](HttpClient& client, const std::string& picture, const std::string& key) {
      return ask(client, model, picture, key);
    };
  };
  return {
      {"deepstack-python and Home Assistant", ask_deepstack_python, 10s, 0.45},
      {"Frigate", ask_frigate, 100ms, 0.4},
      {"AITool", ask_aitool, 30s, 0.33},
      {"SynoAI", ask_synoai, 30s, 0.45},
      {"node-red-contrib-deepstack", ask_node_red, 30s, 0.5},
      {"Agent DVR", with_model(ask_agent_dvr), 30s, 0.4},
      {"pydoods and Home Assistant", ask_pydoods, 30s, 0.455},
      {"inference_sdk, v0", with_model(ask_roboflow_v0), 30s, 0.45},
      {"Roboflow's form", with_model(ask_roboflow_form), 30s, 0.45},
      {"inference_sdk, v1", with_model(ask_roboflow_v1), 30s, 0.45},
  };
}

std::string failure_of(const std::vector<std::string>& labels) {
  return labels.size() == 1 && labels.front().starts_with(kFailed) ? labels.front() : "";
}

std::string to_base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace yolod::tests
