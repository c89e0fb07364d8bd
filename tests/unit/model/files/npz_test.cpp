#include "model/files/npz.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <string>

using namespace yolod;
using namespace yolod::model;
using namespace std::string_literals;

namespace {

TensorArray floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {ElementType::kFloat32, std::move(shape), {bytes.begin(), bytes.end()}};
}

std::vector<NamedTensor> two_tensors() {
  return {{"boxes", floats({2, 2}, {1, 2, 3, 4})}, {"arr_1", {ElementType::kBool, {3}, std::vector<std::byte>(3)}}};
}

void check_npz_refused(const std::string& bytes) {
  const auto parsed = parse_npz(bytes);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == common::ErrorCode::kInvalidParameter);
  CHECK(parsed.error().message.find('\n') == std::string::npos);
}

template <typename T>
void put_at(std::string& bytes, std::size_t at, T value) {
  REQUIRE(at + sizeof value <= bytes.size());
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// Returns the file that numpy.savez(file, a=numpy.arange(2, dtype="<i4")) writes in NumPy 1.24. Its local header has
// a zip64 extra field.
std::string numpys_own() {
  auto array = to_npy({ElementType::kInt32, {2}, {std::byte{0}, {}, {}, {}, std::byte{1}, {}, {}, {}}});
  const auto number = [](std::uint64_t value, std::size_t bytes) {
    return std::string(reinterpret_cast<const char*>(&value), bytes);
  };
  const auto size = array.size();
  const auto local = "PK\x03\x04\x14\0\0\0\0\0\0\0!\0"s + number(0, 4) + number(0xFFFFFFFF, 4) + number(0xFFFFFFFF, 4) +
                     number(5, 2) + number(20, 2) + "a.npy" + number(1, 2) + number(16, 2) + number(size, 8) +
                     number(size, 8) + array;
  return local + "PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0!\0"s + number(0, 4) + number(size, 4) + number(size, 4) +
         number(5, 2) + std::string(12, '\0') + number(0, 4) + "a.npy" + "PK\x05\x06\0\0\0\0\x01\0\x01\0"s +
         number(51, 4) + number(local.size(), 4) + number(0, 2);
}

}  // namespace

TEST_CASE("Npz: the reader returns the written tensors, in order", "[model][unit]") {
  const auto written = two_tensors();
  const auto bytes = to_npz(written);
  CHECK(is_npz(bytes));
  const auto read = parse_npz(bytes);
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK((*read)[i].name == written[i].name);
    CHECK((*read)[i].array.type == written[i].array.type);
    CHECK((*read)[i].array.shape == written[i].array.shape);
    CHECK((*read)[i].array.bytes == written[i].array.bytes);
  }
}

TEST_CASE("Npz: an archive without entries is valid", "[model][unit]") {
  const auto read = parse_npz(to_npz({}));
  REQUIRE(read);
  CHECK(read->empty());
}

TEST_CASE("Npz: a file that NumPy wrote is read", "[model][unit]") {
  const auto read = parse_npz(numpys_own());
  INFO((read ? "" : read.error().message));
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  CHECK(read->front().name == "a");
  CHECK(read->front().array.type == ElementType::kInt32);
  CHECK(read->front().array.shape == std::vector<std::int64_t>{2});
}

TEST_CASE("Npz: a file that is cut short at any place is refused", "[model][unit]") {
  const auto whole = to_npz(two_tensors());
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) check_npz_refused(whole.substr(0, bytes));
}

TEST_CASE("Npz: a compressed array is refused, and the error says which arrays are read", "[model][unit]") {
  auto bytes = to_npz(two_tensors());
  const auto central = bytes.find("PK\x01\x02");
  put_at(bytes, central + 10, std::uint16_t{8});
  const auto parsed = parse_npz(bytes);
  REQUIRE_FALSE(parsed);
  CHECK_THAT(parsed.error().message, Catch::Contains("compressed"));
}

TEST_CASE("Npz: an array with a wrong checksum is refused", "[model][unit]") {
  auto bytes = to_npz(two_tensors());
  bytes[bytes.find("PK\x03\x04", 4) - 1] ^= 1;
  check_npz_refused(bytes);
}

TEST_CASE("Npz: a wrong directory is refused", "[model][unit]") {
  const auto whole = to_npz(two_tensors());
  const auto central = whole.find("PK\x01\x02");
  const auto end = whole.rfind("PK\x05\x06");
  const auto with = [&](std::size_t at, auto value) {
    auto bytes = whole;
    put_at(bytes, at, value);
    return bytes;
  };
  check_npz_refused(with(central + 24, std::uint32_t{0xFFFFFFFF}));  // the size of the entry
  check_npz_refused(with(central + 42, std::uint32_t{0xFFFFFFF0}));  // the offset of the entry
  check_npz_refused(with(central + 28, std::uint16_t{0xFFFF}));      // the length of its name
  check_npz_refused(with(central + 8, std::uint16_t{1}));            // the flag of an encrypted entry
  check_npz_refused(with(end + 10, std::uint16_t{3}));               // the number of entries
  check_npz_refused(with(end + 10, std::uint16_t{0xFFFF}));
  check_npz_refused(with(end + 16, std::uint32_t{0xFFFFFFFF}));  // the offset of the directory
}

TEST_CASE("Npz: entries that share their bytes are refused", "[model][unit]") {
  auto bytes = to_npz({{{"a", floats({100}, std::vector<float>(100))}}});
  const auto central = bytes.find("PK\x01\x02");
  const auto end = bytes.rfind("PK\x05\x06");
  const auto entry = bytes.substr(central, end - central);
  auto tail = bytes.substr(end);
  bytes.resize(end);
  for (int i = 0; i < 9; ++i) bytes += entry;
  put_at(tail, 10, std::uint16_t{10});
  check_npz_refused(bytes + tail);
}

TEST_CASE("Npz: two arrays with the same name are refused", "[model][unit]") {
  auto tensors = two_tensors();
  tensors[1].name = tensors[0].name;
  check_npz_refused(to_npz(tensors));
}

TEST_CASE("Npz: damaged bytes are refused or read, and the number of arrays stays limited", "[model][unit]") {
  const auto whole = to_npz(two_tensors());
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = whole;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto parsed = parse_npz(bytes);
    if (parsed) CHECK(parsed->size() <= 1024);
  }
}

TEST_CASE("Npy: elements of every type are read as they were written", "[model][unit]") {
  for (const auto type :
       {ElementType::kFloat16, ElementType::kFloat32, ElementType::kFloat64, ElementType::kInt8, ElementType::kInt16,
        ElementType::kInt32, ElementType::kInt64, ElementType::kUint8, ElementType::kBool}) {
    const TensorArray array{type, {3, 1}, std::vector<std::byte>(3 * element_bytes(type), std::byte{1})};
    const auto read = parse_npy_tensor(to_npy(array));
    REQUIRE(read);
    CHECK(read->type == type);
    CHECK(read->shape == array.shape);
    CHECK(read->bytes == array.bytes);
  }
}

TEST_CASE("Npy: other types of elements and big-endian numbers are refused", "[model][unit]") {
  for (const std::string descr : {">f4", "<c8", "|O8", "<U4", "<f3", "<i4x"}) {
    auto bytes = to_npy(floats({1}, {1}));
    bytes.replace(bytes.find("<f4"), 3, descr.substr(0, 3));
    if (descr.size() > 3) bytes.replace(bytes.find(descr.substr(0, 3)) + 3, 1, descr.substr(3));
    CHECK_FALSE(parse_npy_tensor(bytes));
  }
}
