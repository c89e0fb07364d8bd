// Every byte of an answer comes from its own request: the server decodes a picture completely, or refuses it. A
// network that returns its input shows what the decoder left in memory.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/promised_time.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

namespace fs = std::filesystem;

// Returns the files of all formats that are small enough to be cut at each 64th byte.
std::vector<fs::path> pictures(const fs::path& data) {
  constexpr std::uintmax_t kLargest = 50'000;
  std::vector<fs::path> found;
  for (const auto& folder : {data / "odd", data / ".." / "cases"}) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      static const std::vector<std::string> kKinds{".jpg", ".png", ".webp", ".tif", ".bmp", ".ppm", ".pgm"};
      const auto kind = entry.path().extension().string();
      const bool is_picture = std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
      if (is_picture && entry.is_regular_file() && entry.file_size() <= kLargest) found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Returns a picture of one colour that occurs in no other picture here. It has the size of the network's input, so it
// is returned unchanged.
std::string marked_picture() {
  std::string bytes = "P6\n64 64\n255\n";
  for (int i = 0; i < 64 * 64; ++i) bytes += "\xF1\x02\xE3";
  return bytes;
}

}  // namespace

TEST_CASE("MarkedPicture: no answer holds a byte of the previous picture, wherever a file is cut", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto data = *test_data();
  const auto mirror = (data / ".." / "cases" / "ts_ident.pt").lexically_normal();
  if (!fs::exists(mirror)) {
    WARN("SKIPPED: the test data has no cases/ beside it");
    return;
  }
  Server server(server_config(
      "  - name: mirror\n    task: image\n    workers: 1\n    threads: 1\n    torchscript: {file: " + mirror.string() +
      ", layout: image}\n    input_size: 64\n    resize: stretch\n    precision: fp32\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto ask = [&](std::string body) {
    Request request{"PUT", "/image", {{"Accept", "image/png"}}, std::move(body)};
    auto answer = client.send(request);
    if (!answer.answered() || answer.header("Connection") == "close") client.close();
    return answer;
  };
  const auto mark = marked_picture();
  const auto marked = ask(mark);
  REQUIRE(marked.status == 200);

  // tools/test --long cuts every file eight times as often.
  const std::size_t step = is_long_run() ? 64 : 512;
  const auto files = pictures(data);
  CHECK(files.size() >= 40);
  std::map<std::string, int> whole_formats;
  std::size_t accepted = 0;
  for (const auto& file : files) {
    const auto whole = read_file(file);
    const auto expected = ask(whole);
    if (expected.status == 200) ++whole_formats[file.extension().string()];
    for (std::size_t length = 0; length < whole.size(); length += step) {
      REQUIRE(ask(mark).body == marked.body);
      const auto answer = ask(whole.substr(0, length));
      INFO(file << " cut to " << length << " of " << whole.size() << " bytes: " << describe(answer));
      REQUIRE(answer.answered());
      if (answer.status == 200) {
        ++accepted;
        // Only an end mark is missing, so the pixels are those of the whole file.
        REQUIRE(expected.status == 200);
        REQUIRE(answer.body == expected.body);
      } else {
        REQUIRE((answer.status == 400 || answer.status == 413 || answer.status == 415));
      }
    }
  }
  // The test has read at least one file of each format.
  for (const char* kind : {".jpg", ".png", ".webp", ".tif", ".bmp", ".ppm", ".pgm"}) {
    CAPTURE(kind);
    CHECK(whole_formats[kind] > 0);
  }
  CHECK(server.log_lines_with("died").empty());
}

}  // namespace yolod::tests
