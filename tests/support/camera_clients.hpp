// The programs that ask a server about pictures of cameras, as tests: each sends the bytes that the program sends, and
// reads the answer as the program does. The requests come from the sources of deepstack-python, Frigate, AITool,
// SynoAI, node-red-contrib-deepstack, pydoods and inference_sdk. Agent DVR is closed; its requests come from the
// servers that support it. Only one thread at a time may use an HttpClient.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/support/http_client.hpp"

namespace yolod::tests {

struct CameraClient {
  std::string name;
  // Asks about a picture. Returns the labels that the program shows, highest confidence first, or why it fails:
  // "failed: ...". `key` is the program's API key; empty: none.
  std::function<std::vector<std::string>(HttpClient& client, const std::string& picture, const std::string& key)> ask;
  // The time after which the program gives up.
  milliseconds patience;
  double confidence;  // the least confidence that it asks for
};

// `model` is the name of the model for programs that name one. Home Assistant's integration of DeepStack uses
// deepstack-python, and its integration of DOODS uses pydoods.
[[nodiscard]] std::vector<CameraClient> camera_clients(const std::string& model);

// Returns why the labels are a failure, or an empty text.
[[nodiscard]] std::string failure_of(const std::vector<std::string>& labels);

[[nodiscard]] std::string to_base64(const std::string& bytes);

}  // namespace yolod::tests
