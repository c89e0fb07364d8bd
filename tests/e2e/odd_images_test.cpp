// A worker gets every file of the test data's odd/. Each is a picture, or gets the error that fits. None kills the
// worker.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/bodies.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

// These files are refused, with these errors. All others are pictures.
const std::map<std::string, std::string> kRefused{
    {"LICENSE.PngSuite", "invalid_image"},
    {"LICENSE.md", "invalid_image"},
    {"LICENSE.pillow", "invalid_image"},
    {"LICENSE.txt", "invalid_image"},
    {"PngSuite.LICENSE", "invalid_image"},
    {"test1.icc", "invalid_image"},
    {"test3.icc", "invalid_image"},
    // These files are damaged on purpose, each to trigger a fault of another decoder.
    {"crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif", "invalid_image"},
    {"crash-1152ec2d1a1a71395b6f2ce6721c38924d025bf3.tif", "invalid_image"},
    {"crash-2020-10-test.tif", "invalid_image"},
    {"oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif", "invalid_image"},
    {"truncated_image.png", "invalid_image"},
    // The header claims gigapixels that the file does not hold.
    {"reallybig.bmp", "invalid_image"},
    // This file is arithmetic-coded.
    {"testimgari.jpg", "invalid_image"},
    // This file has 12 bits a sample. A libjpeg-turbo that is built for 8 bits does not decode it.
    {"monkey12.jpg", "invalid_image"},
    {"decompression_bomb.gif", "unsupported_media_type"},
    {"hopper.gif", "unsupported_media_type"},
};

std::vector<std::filesystem::path> odd_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*test_data() / "odd")) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>((value >> shift) & 0xFFU);
  return bytes;
}

std::string png_chunk(const std::string& type, const std::string& data) {
  const auto crc = static_cast<std::uint32_t>(std::stoul(crc32_hex(type + data), nullptr, 16));
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data + big_endian(crc);
}

// Returns a PNG of `side` x `side` pixels, 8 bits RGB, that lacks only its pixels.
std::string png_that_declares(std::uint32_t side) {
  using namespace std::string_literals;
  return "\x89PNG\r\n\x1a\n"s + png_chunk("IHDR", big_endian(side) + big_endian(side) + "\x08\x02\0\0\0"s) +
         png_chunk("IDAT", "\x78\x9c\x63\x00\x00\x00\x01\x00\x01"s) + png_chunk("IEND", "");
}

// A server with one worker of a real network, which has already processed a photo.
class UsedServer : public Server {
 public:
  // `model_keys` are additional keys of the model, indented as in the file.
  explicit UsedServer(const std::string& model_keys = {})
      : Server(small_network_config(*test_data()) + model_keys),
        photo_(read_file(*test_data() / "photos" / "person.jpg")) {
    REQUIRE(wait_until_ready());
    workers_ = worker_pids();
    REQUIRE(workers_.size() == 1);
    client = HttpClient(endpoint());
    REQUIRE(client.post("/predict", photo_).status == 200);
    peak_ = peak_memory_kib(workers_.front());
    REQUIRE(peak_ > 0);
  }

  void check_worker_lives() {
    CHECK(client.post("/predict", photo_).status == 200);
    CHECK(worker_pids() == workers_);
  }
  // Returns the growth of the worker's peak memory since the photo.
  [[nodiscard]] long grown_kib() const { return peak_memory_kib(workers_.front()) - peak_; }

  HttpClient client{Endpoint{}};

 private:
  std::string photo_;
  std::vector<pid_t> workers_;
  long peak_{0};
};

}  // namespace

TEST_CASE("OddImages: a small file that declares 30,000 x 30,000 pixels is refused before memory is allocated",
          "[e2e][torch][case29]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  UsedServer server;

  struct Bomb {
    std::string bytes;
    int status;
    std::string code;
  };
  // A PNM's header determines its length.
  for (const auto& bomb : {Bomb{png_that_declares(30'000), 413, "image_too_large"},
                           Bomb{"P6\n30000 30000\n255\nxxx", 400, "invalid_image"}}) {
    REQUIRE(bomb.bytes.size() < 200);
    const auto answer = server.client.post("/predict", bomb.bytes);
    CAPTURE(answer);
    CHECK(answer.status == bomb.status);
    CHECK(answer.error_code() == bomb.code);
    CHECK(server.client.connected());
  }
  server.check_worker_lives();
  CHECK(server.log_lines_with("died").empty());
  CHECK(server.grown_kib() < 16 * 1024);  // the pixels would take 2.7 GB
}

TEST_CASE("OddImages: each file is a picture or gets the error that fits, from one worker that survives",
          "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  UsedServer server;

  for (const auto& file : odd_files()) {
    const auto answer = server.client.post("/predict", read_file(file));
    CAPTURE(file.filename(), answer);
    const auto refused = kRefused.find(file.filename());
    if (refused == kRefused.end()) {
      CHECK(answer.status == 200);
    } else {
      CHECK(answer.error_code() == refused->second);
    }
  }
  server.check_worker_lives();
  // The largest picture has a tenth of a megapixel; the bombs claim gigapixels.
  CHECK(server.grown_kib() < 48 * 1024);
}

TEST_CASE("OddImages: the error for a known but unsupported format names the supported formats", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  UsedServer server;

  const std::string heic(
      "\0\0\0\x18"
      "ftypheic\0\0\0\0mif1heic",
      24);
  const std::string jpeg_xl("\xFF\x0A\xFA\x7F", 4);
  for (const auto& [body, name] : {std::pair{heic, "HEIC"}, {jpeg_xl, "JPEG XL"}, {std::string("%PDF-1.7"), "PDF"}}) {
    const auto answer = server.client.post("/predict", body, {{"Content-Type", "image/heic"}});
    CAPTURE(answer);
    CHECK(answer.status == 415);
    CHECK(answer.error_code() == "unsupported_media_type");
    CHECK(answer.json().at("error").at("message").as_string() ==
          std::string(name) + " is not served: send JPEG, PNG, WebP, BMP, TIFF or PNM");
  }
  server.check_worker_lives();
}

TEST_CASE("OddImages: files that once caused faults get the answer that fits, from one worker that survives",
          "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  if (!fault_cases()) {
    WARN("SKIPPED: no cases beside the test data");
    return;
  }
  UsedServer server;

  for (const auto* name : {"pnm_hash_plain.ppm", "pnm_hash_dicm.ppm", "pnm_hash_dted.ppm", "gdal_pds_passwd.ppm",
                           "png_ztxt_12x8MB.png", "jpeg_no_eoi.jpg", "animated.webp", "webp_exif6.webp"}) {
    const auto answer = server.client.post("/predict", read_file(*fault_cases() / name));
    CAPTURE(name, answer);
    CHECK(answer.status == 200);
  }
  for (const auto* name : {"webp_dicm.webp", "dc_80.jpg", "jpeg_prog_refine_100MP_100.jpg", "jpeg_cut_at_half.jpg",
                           "jpeg_header_only_64x64.jpg", "jpeg_two_sof.jpg"}) {
    const auto answer = server.client.post("/predict", read_file(*fault_cases() / name));
    CAPTURE(name, answer);
    CHECK(answer.status == 400);
    CHECK(answer.error_code() == "invalid_image");
  }
  server.check_worker_lives();
  CHECK(server.log_lines_with("died").empty());
  CHECK(server.grown_kib() < 48 * 1024);
}

TEST_CASE("OddImages: a picture over max_decode_time or max_decode_memory is too complex, and the worker survives",
          "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  if (!fault_cases()) {
    WARN("SKIPPED: no cases beside the test data");
    return;
  }
  const std::string limits =
      GENERATE("    limits: {max_decode_time: 20ms}\n", "    limits: {max_decode_memory: 64MiB}\n");
  UsedServer server(limits);

  for (const auto* name : {"png_1bit_100MP.png", "tiff_g4_100MP.tif"}) {
    const auto answer = server.client.post("/predict", read_file(*fault_cases() / name));
    CAPTURE(name, answer);
    CHECK(answer.status == 413);
    CHECK(answer.error_code() == "image_too_complex");
  }
  server.check_worker_lives();
  CHECK(server.log_lines_with("died").empty());
}

}  // namespace yolod::tests
