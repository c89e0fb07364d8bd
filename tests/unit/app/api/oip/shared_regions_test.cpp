#include "app/api/oip/shared_regions.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/shared_object.hpp"
#include "tests/unit/app/api/oip/infer_bench.hpp"

namespace yolod::app::api::oip::shared_regions_test {
namespace {

using tests::SharedObject;

const RegionOwner kOwner = "address 127.0.0.1";

struct RegionsBench {
  std::string add(const std::string& name, const std::string& key, std::uint64_t offset, std::uint64_t bytes) {
    const auto added = regions.add(owner, name, key, offset, bytes);
    return added ? "" : added.error().message;
  }
  std::string find(const std::string& name, std::uint64_t offset, std::uint64_t bytes) {
    const auto found = regions.find(owner, name, offset, bytes);
    return found ? "" : found.error().message;
  }

  std::uint64_t left_bytes{1ULL << 40U};
  RegionOwner owner{kOwner};
  common::OipConfig config{true, {"yolod-test-*"}};
  SharedRegions regions{config, nullptr, [this] { return left_bytes; }};
};

std::string copied(const SharedPart& part, std::size_t bytes) {
  std::string text(bytes, '\0');
  PieceCopy copy(nullptr);
  const auto done = copy.read(part, 0, std::as_writable_bytes(std::span(text.data(), text.size())));
  return done ? text : done.error().message;
}

// Returns the error, or an empty text.
std::string put(const SharedPart& part, std::uint64_t at, const std::string& bytes, bool may_grow = true) {
  PieceCopy copy(nullptr);
  std::uint64_t grown_bytes = 0;
  const auto done = copy.write(part, at, std::as_bytes(std::span(bytes.data(), bytes.size())), may_grow, grown_bytes);
  return done ? "" : done.error().message;
}

TEST_CASE("SharedRegions: a pattern matches whole names", "[app][oip][unit]") {
  CHECK(matches("a", "a"));
  CHECK_FALSE(matches("a", "ab"));
  CHECK(matches("*", ""));
  CHECK(matches("*", "anything"));
  CHECK(matches("yolod-*", "yolod-"));
  CHECK_FALSE(matches("yolod-*", "yolod"));
  CHECK(matches("*-in-*", "camera-in-in-7"));
  CHECK(matches("a*b*c", "abbbc"));
  CHECK_FALSE(matches("a*b*c", "abcd"));
  CHECK_FALSE(matches("", "a"));
  CHECK_FALSE(matches(std::string(100, '*') + "b", std::string(200, 'a')));
}

TEST_CASE("SharedRegions: a region is registered once and lies within its object", "[app][oip][unit]") {
  RegionsBench bench;
  const SharedObject object(100);
  CHECK(bench.add("r", object.name(), 10, 90) == "");
  CHECK(bench.add("r", object.name(), 0, 10) == "shared memory region 'r' already in manager");
  CHECK(bench.add("again", object.name().substr(1), 0, 100) == "");
  const std::string invalid = "failed to register shared memory region 'n': invalid args";
  CHECK(bench.add("n", object.name(), 10, 91) == invalid);
  CHECK(bench.add("n", object.name(), 0, 0) == invalid);
  CHECK(bench.add("n", object.name(), UINT64_MAX, 2) == invalid);
  CHECK(bench.add("n", object.name(), 2, UINT64_MAX) == invalid);
  CHECK(bench.add("", object.name(), 0, 1) == "the name of a shared memory region has 1 to 200 bytes");
  CHECK(bench.find("r", 0, 90) == "");
  CHECK(bench.find("r", 89, 1) == "");
  CHECK(bench.find("r", 90, 0) == "Invalid offset for shared memory region: 'r'");
  CHECK(bench.find("r", 1, 90) == "Invalid offset + byte size for shared memory region: 'r'");
  CHECK(bench.find("r", 1, UINT64_MAX) == "Invalid offset + byte size for shared memory region: 'r'");
  CHECK(bench.find("x", 0, 1) == "Unable to find shared memory region: 'x'");
  CHECK(bench.regions.remove(kOwner, "r"));
  CHECK_FALSE(bench.regions.remove(kOwner, "r"));
  CHECK(bench.find("r", 0, 1) == "Unable to find shared memory region: 'r'");
  bench.regions.remove_all(kOwner);
  CHECK(bench.regions.all().empty());
}

TEST_CASE("SharedRegions: only allowed names are opened, and no link is followed", "[app][oip][unit]") {
  RegionsBench bench;
  const SharedObject object(10);
  const std::string name = object.name().substr(1);
  for (const std::string& key : {std::string("/other"), std::string(), std::string("/"), "//" + name,
                                 "/../dev/shm/" + name, std::string("/yolod-test-/../x"), std::string("/.hidden"),
                                 name + std::string(1, '\0'), std::string("yolod-test-") + std::string(300, 'x')}) {
    CAPTURE(key);
    CHECK(bench.add("r", key, 0, 1).starts_with("oip.shared_memory does not allow the shared memory key "));
  }
  CHECK(bench.add("r", "/yolod-test-absent", 0, 1) == "Unable to open shared memory region: '/yolod-test-absent'");
  const std::string link = name + "-link";
  std::filesystem::create_symlink("/etc/passwd", "/dev/shm/" + link);
  CHECK(bench.add("r", link, 0, 1) == "Unable to open shared memory region: '" + link + "'");
  std::filesystem::remove("/dev/shm/" + link);
  std::filesystem::create_directory("/dev/shm/" + link);
  CHECK(bench.add("r", link, 0, 1) == "Unable to open shared memory region: '" + link + "'");
  std::filesystem::remove("/dev/shm/" + link);
  bench.config.shared_memory.clear();
  CHECK_FALSE(bench.regions.is_on());
  CHECK(bench.add("r", object.name(), 0, 1).starts_with("oip.shared_memory does not allow"));
}

TEST_CASE("SharedRegions: a server has a bounded number of regions", "[app][oip][unit]") {
  RegionsBench bench;
  const SharedObject object(10);
  for (std::size_t i = 0; i < SharedRegions::kMostRegions; ++i) {
    REQUIRE(bench.add("r" + std::to_string(i), object.name(), 0, 10) == "");
  }
  CHECK(bench.add("more", object.name(), 0, 10) == "a client has at most 64 shared memory regions: unregister one");
  CHECK(bench.regions.remove(kOwner, "r7"));
  CHECK(bench.add("more", object.name(), 0, 10) == "");
}

// A request keeps the objects of its regions open, whether or not they are registered.
TEST_CASE("SharedRegions: objects that requests keep open count too", "[app][oip][unit]") {
  RegionsBench bench;
  const SharedObject object(10);
  const std::string too_many =
      "the server has too many shared memory regions open: try again when other requests have ended";
  std::vector<SharedPart> kept;
  const auto register_all = [&] {
    for (std::size_t i = 0; i < SharedRegions::kMostObjectsOfOne; ++i) {
      REQUIRE(bench.add("r" + std::to_string(i), object.name(), 0, 10) == "");
      kept.push_back(*bench.regions.find(bench.owner, "r" + std::to_string(i), 0, 10));
    }
  };
  register_all();
  bench.regions.remove_all(bench.owner);
  CHECK(bench.add("more", object.name(), 0, 10) == too_many);
  for (bench.owner = "a"; kept.size() < SharedRegions::kMostObjects; bench.owner += "a") register_all();
  CHECK(bench.add("more", object.name(), 0, 10) == too_many);
  kept.pop_back();
  bench.regions.remove_all("aaa");
  CHECK(bench.add("more", object.name(), 0, 10) == "");
}

TEST_CASE("SharedRegions: a client neither sees nor uses the regions of another", "[app][oip][unit]") {
  RegionsBench bench;
  const SharedObject object(100);
  REQUIRE(bench.add("r", object.name(), 0, 100) == "");
  bench.owner = "person 7";
  CHECK(bench.find("r", 0, 1) == "Unable to find shared memory region: 'r'");
  CHECK_FALSE(bench.regions.remove(bench.owner, "r"));
  bench.regions.remove_all(bench.owner);
  CHECK(bench.regions.of(bench.owner).empty());
  CHECK(bench.add("r", object.name(), 50, 50) == "");
  CHECK(bench.find("r", 50, 1) == "Invalid offset for shared memory region: 'r'");
  bench.owner = kOwner;
  CHECK(bench.find("r", 50, 1) == "");
  CHECK(bench.regions.remove_of_all("r"));
  CHECK_FALSE(bench.regions.remove_of_all("r"));
  CHECK(bench.regions.all().empty());
}

TEST_CASE("SharedRegions: the owner is the person, the key or the address", "[app][oip][unit]") {
  using Kind = access::Caller::Kind;
  access::Caller anonymous;
  anonymous.network = access::Network::of(*common::IpAddress::parse("192.0.2.7"));
  access::Caller session = anonymous;
  session.kind = Kind::kSession;
  session.person = 7;
  access::Caller own_key = session;
  own_key.kind = Kind::kKey;
  own_key.key = 3;
  access::Caller key = own_key;
  key.person = 0;
  access::Caller file_key = anonymous;
  file_key.kind = Kind::kFileKey;
  file_key.credential[0] = 1;
  access::Caller other_file_key = file_key;
  other_file_key.credential[0] = 2;
  CHECK(region_owner_of(anonymous) == "address 192.0.2.7");
  CHECK(region_owner_of(session) == "person 7");
  CHECK(region_owner_of(own_key) == "person 7");
  CHECK(region_owner_of(key) == "key 3");
  CHECK(region_owner_of(file_key) != region_owner_of(other_file_key));
  CHECK(region_owner_of(file_key) != region_owner_of(anonymous));
}

TEST_CASE("SharedRegions: a reload removes the regions that it no longer allows", "[app][oip][unit]") {
  RegionsBench bench;
  const SharedObject object(100);
  const SharedObject other(100);
  REQUIRE(bench.add("r", object.name(), 0, 100) == "");
  REQUIRE(bench.add("q", other.name(), 0, 100) == "");
  bench.config.shared_memory = {other.name().substr(1)};
  bench.regions.remove_forbidden();
  CHECK(bench.find("r", 0, 1) == "Unable to find shared memory region: 'r'");
  CHECK(bench.find("q", 0, 1) == "");
  bench.config.shared_memory.clear();
  bench.regions.remove_forbidden();
  CHECK(bench.regions.all().empty());
}

// Clients make objects with ftruncate, so an object for outputs has holes. The memory of a hole counts for the process
// that writes there first.
TEST_CASE("SharedRegions: holes are filled only while the server has memory", "[app][oip][unit]") {
  RegionsBench bench;
  SharedObject object(1U << 20U);
  REQUIRE(bench.add("r", object.name(), 0, 1U << 20U) == "");
  const auto part = *bench.regions.find(bench.owner, "r", 0, 1U << 20U);
  const std::string bytes(100'000, 'x');
  CHECK(put(part, 4096, bytes, false).find("has holes, and the server has too little memory") != std::string::npos);
  CHECK(object.read(100'000, 4096) == std::string(100'000, '\0'));
  CHECK(put(part, 4096, bytes, true) == "");
  CHECK(put(part, 4096, std::string(100'000, 'y'), false) == "");
  CHECK(object.read(100'000, 4096) == std::string(100'000, 'y'));

  const common::Clock::time_point now{std::chrono::hours(1)};
  bench.left_bytes = SharedRegions::kKeptBytes + 100;
  CHECK(bench.regions.may_grow(now));
  bench.regions.grew(100);
  CHECK_FALSE(bench.regions.may_grow(now));
  CHECK(bench.regions.may_grow(now + std::chrono::seconds(1)));
  bench.left_bytes = SharedRegions::kKeptBytes;
  CHECK_FALSE(bench.regions.may_grow(now + std::chrono::seconds(2)));
}

// A client can mount its own file system on its object.
TEST_CASE("SharedRegions: nothing but an object of the file system itself is opened", "[app][oip][unit]") {
  RegionsBench bench;
  const std::string name = "yolod-test-fifo-" + std::to_string(::getpid());
  REQUIRE(::mkfifo(("/dev/shm/" + name).c_str(), 0600) == 0);
  CHECK(bench.add("r", name, 0, 1).starts_with("failed to register shared memory region 'r'"));
  std::filesystem::remove("/dev/shm/" + name);
}

TEST_CASE("SharedRegions: an object that becomes shorter is an error and no signal", "[app][oip][unit]") {
  RegionsBench bench;
  SharedObject object(8192);
  object.write("0123456789", 4096);
  REQUIRE(bench.add("r", object.name(), 4096, 4096) == "");
  const auto part = bench.regions.find(bench.owner, "r", 2, 100);
  REQUIRE(part.ok());
  CHECK(copied(*part, 4) == "2345");
  REQUIRE(put(*part, 1, "ab") == "");
  CHECK(object.read(10, 4096) == "012ab56789");
  object.resize(4099);
  const std::string why = "the shared memory object '" + object.name() + "' has become too short";
  CHECK(copied(*part, 4) == why);
  CHECK(put(*part, 1, "ab") == why);
  CHECK(object.read(8192).size() == 4099);  // the server did not make it longer
  object.resize(0);
  CHECK(copied(*part, 1) == why);
}

// ---- requests ----

class SharedBench : public InferBench {
 public:
  explicit SharedBench(common::ModelConfig settings = config_of(common::Task::kTensor),
                       common::ModelDescription described = tensor_description())
      : InferBench(std::move(settings), std::move(described)) {
    regions = &registry;
    REQUIRE(registry.add("address unix", "r", object.name(), 0, 4096).ok());
  }

  common::OipConfig oip{true, {"yolod-test-*"}};
  SharedRegions registry{oip};
  SharedObject object{4096};
};

std::string shared_input(const std::string& name, const std::string& place, int count) {
  return R"({"name":")" + name + R"(","shape":[)" + std::to_string(count) + R"(],"datatype":"FP32","parameters":{)" +
         place + "}}";
}

TEST_CASE("SharedMemory: inputs from regions and from the body are one body, in their order", "[app][oip][unit]") {
  SharedBench bench;
  bench.object.write(bytes_of(1.0F, 2.0F, 3.0F), 8);
  const std::string json =
      R"({"inputs":[)" +
      shared_input("x", R"("shared_memory_region":"r","shared_memory_byte_size":12,"shared_memory_offset":8)", 3) +
      "," + shared_input("y", R"("binary_data_size":4)", 1) + "]}";
  const std::size_t budget = GENERATE(1, 5, 1000);
  REQUIRE(bench.ask(json + bytes_of(9.0F), std::to_string(json.size()), budget) == "");
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.content(0) == json + bytes_of(1.0F, 2.0F, 3.0F) + bytes_of(9.0F));
  if (budget == 1) CHECK(bench.fills >= static_cast<int>(json.size()));
}

TEST_CASE("SharedMemory: pictures in a region are calls", "[app][oip][unit]") {
  SharedBench bench(api::echo_config(), {});
  bench.object.write(element("one") + element("second"));
  const std::string json = R"({"inputs":[{"name":"image","shape":[2,1],"datatype":"BYTES","parameters":{)"
                           R"("shared_memory_region":"r","shared_memory_byte_size":17}}]})";
  REQUIRE(bench.ask(json) == "");
  REQUIRE(bench.calls.size() == 2);
  CHECK(bench.content(0) == "one");
  CHECK(bench.content(1) == "second");
}

TEST_CASE("SharedMemory: requests with wrong places are refused before anything is copied", "[app][oip][unit]") {
  SharedBench bench;
  const auto ask = [&bench](const std::string& place, const std::string& more = "", const std::string& bytes = "") {
    const std::string json = R"({"inputs":[)" + shared_input("x", place, 1) + "," +
                             shared_input("y", R"("binary_data_size":4)", 1) + "]" + more + "}";
    return bench.ask(json + (bytes.empty() ? bytes_of(1.0F) : bytes), std::to_string(json.size()));
  };
  const std::string good = R"("shared_memory_region":"r","shared_memory_byte_size":4)";
  CHECK(ask(good) == "");
  CHECK(ask(R"("shared_memory_region":"q","shared_memory_byte_size":4)") == "Unable to find shared memory region: 'q'");
  CHECK(ask(good + R"(,"shared_memory_offset":4096)") == "Invalid offset for shared memory region: 'r'");
  CHECK(ask(good + R"(,"shared_memory_offset":4095)") == "Invalid offset + byte size for shared memory region: 'r'");
  CHECK(ask(good + R"(,"shared_memory_offset":18446744073709551615)") ==
        "Invalid offset for shared memory region: 'r'");
  CHECK(ask(good + R"(,"shared_memory_offset":-1)") == "parameter 'shared_memory_offset' must be a whole number");
  CHECK(ask(R"("shared_memory_region":"r")") ==
        "input 'x' is in shared memory, so it must have the parameter 'shared_memory_byte_size', a whole number");
  CHECK(ask(R"("shared_memory_region":7,"shared_memory_byte_size":4)") ==
        "parameter 'shared_memory_region' must be a text");
  CHECK(ask(R"("shared_memory_region":"r","shared_memory_byte_size":5)") ==
        "unexpected size 5 for input 'x', expecting 4 bytes for its shape");
  CHECK(ask(good + R"(,"binary_data_size":4)") == "input 'x' is in shared memory, so it must have no other values");
  CHECK(ask(good, "", "abcdefgh") == "unexpected additional input data for model 'echo'");
  CHECK(ask(good, "", "abc") == "unexpected end of the input data for model 'echo'");
  CHECK(
      ask(good, R"(,"outputs":[{"name":"o","parameters":{"shared_memory_region":"q","shared_memory_byte_size":1}}])") ==
      "Unable to find shared memory region: 'q'");
  bench.server.max_body_bytes = 100;
  CHECK(ask(good) == "the request and its inputs in shared memory have more than the 100 bytes that are allowed");
  bench.server.max_body_bytes = 1 << 20;
  bench.object.resize(2);
  CHECK(ask(good) == "the shared memory object '" + bench.object.name() + "' has become too short");
  bench.oip.shared_memory.clear();
  CHECK(ask(good) == "a tensor is in shared memory, which this server does not use: oip.shared_memory turns it on");
  bench.regions = nullptr;
  CHECK(ask(good) == "a tensor is in shared memory, which this server does not use: oip.shared_memory turns it on");
}

TEST_CASE("SharedMemory: outputs are copied to their regions, and the answer has no bytes of them",
          "[app][oip][unit]") {
  SharedBench bench(api::echo_config(), {});
  const auto ask = [&bench](const std::string& bytes) {
    return bench.ask(R"({"inputs":[{"name":"image","shape":[2],"datatype":"BYTES","data":["YWJj","YWJj"]}],)"
                     R"("outputs":[{"name":"crc32"},{"name":"bytes","parameters":{"shared_memory_region":"r",)"
                     R"("shared_memory_offset":100,"shared_memory_byte_size":)" +
                     bytes + "}}]}");
  };
  const std::vector<common::Prediction> predictions{common::IdentityAnswer{7, 1, 2}, common::IdentityAnswer{8, 3, 4}};
  REQUIRE(ask("20") == "");
  CHECK(bench.answer(predictions) ==
        R"({"model_name":"echo","model_version":"3","outputs":[)"
        R"({"name":"crc32","datatype":"UINT32","shape":[2,1],"data":[1,3]},)"
        R"({"name":"bytes","datatype":"UINT64","shape":[2,1],"parameters":{"shared_memory_region":"r",)"
        R"("shared_memory_byte_size":16}}]})");
  CHECK(bench.object.read(16, 100) == bytes_of(std::uint64_t{7}, std::uint64_t{8}));
  REQUIRE(ask("15") == "");
  CHECK(bench.answer(predictions) ==
        R"({"error":"shared memory size specified with the request for output 'bytes' (15 bytes) should be at least )"
        R"(16 bytes to hold the results"})");
  REQUIRE(ask("16") == "");
  bench.registry.remove_all("address unix");  // the request goes on with the object that it found
  bench.object.resize(110);
  CHECK(bench.answer(predictions).find("has become too short") != std::string::npos);
  CHECK(bench.response.status == boost::beast::http::status::bad_request);
}

}  // namespace
}  // namespace yolod::app::api::oip::shared_regions_test
