#include "model/files/npy.hpp"

#include <catch2/catch.hpp>

#include "tests/support/temporary_directory.hpp"

using namespace yolod::model;
using Catch::Matchers::Contains;
using yolod::tests::TemporaryDirectory;

namespace {

std::string npy(std::string header, const std::string& data, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  bytes += static_cast<char>(header.size() & 0xFFU);
  bytes += static_cast<char>(header.size() >> 8U);
  if (version > 1) bytes += std::string(2, '\0');
  return bytes + header + data;
}

std::string npy_problem(const std::string& bytes) {
  const auto array = parse_npy(bytes);
  return array ? "" : array.error().message;
}

const std::string kFour(4, '\0');

}  // namespace

TEST_CASE("Npy: the reader returns the written array", "[model][unit]") {
  const auto shape =
      GENERATE(std::vector<std::int64_t>{6}, std::vector<std::int64_t>{2, 3}, std::vector<std::int64_t>{1, 2, 3, 1});
  const TemporaryDirectory folder;
  const NpyArray array{shape, {1, 2.5F, -3, 0, 5, 6}};
  REQUIRE(write_npy(folder.path() / "a.npy", array).ok());
  const auto read = read_npy(folder.path() / "a.npy");
  REQUIRE(read.ok());
  CHECK(read->shape == array.shape);
  CHECK(read->values == array.values);
  CHECK(yolod::tests::read_file(folder.path() / "a.npy").size() % 64 == 24);  // header 64 bytes, data 24 bytes
}

TEST_CASE("Npy: versions 1 to 3 are read", "[model][unit]") {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n";
  CHECK(npy_problem(npy(header, kFour, 1)).empty());
  CHECK(npy_problem(npy(header, kFour, 2)).empty());
  CHECK(npy_problem(npy(header, kFour, 3)).empty());
  CHECK_THAT(npy_problem(npy(header, kFour, 4)), Contains("version 4"));
}

TEST_CASE("Npy: a scalar has no dimensions", "[model][unit]") {
  const auto array = parse_npy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", kFour));
  REQUIRE(array.ok());
  CHECK(array->shape.empty());
  CHECK(array->values.size() == 1);
}

TEST_CASE("Npy: every byte of a bool that is not 0 is true", "[model][unit]") {
  const auto array = parse_npy_tensor(
      npy("{'descr': '|b1', 'fortran_order': False, 'shape': (5,), }\n", std::string("\0\1\2\x80\xFF", 5)));
  REQUIRE(array.ok());
  CHECK(array->type == ElementType::kBool);
  CHECK(array->bytes == std::vector<std::byte>{std::byte{0}, std::byte{1}, std::byte{1}, std::byte{1}, std::byte{1}});
  // Numbers keep every byte.
  const auto bytes =
      parse_npy_tensor(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", std::string("\x02\xFF")));
  REQUIRE(bytes.ok());
  CHECK(bytes->bytes == std::vector<std::byte>{std::byte{2}, std::byte{255}});
}

TEST_CASE("Npy: the error names what the reader does not support", "[model][unit]") {
  CHECK_THAT(npy_problem("hello"), Contains("not an .npy file"));
  CHECK_THAT(npy_problem("\x93NUMPY\x01"), Contains("not an .npy file"));
  CHECK_THAT(npy_problem(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", kFour)), Contains("float32"));
  CHECK_THAT(npy_problem(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", kFour)), Contains("float32"));
  CHECK_THAT(npy_problem(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", kFour)), Contains("C order"));
  CHECK_THAT(npy_problem(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1", kFour)), Contains("shape"));
  CHECK_THAT(npy_problem(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", kFour)), Contains("shape"));
  CHECK_THAT(npy_problem(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", kFour)),
             Contains("4 bytes of data"));
  CHECK_THAT(
      npy_problem(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904), }",
                      kFour)),
      Contains("too large"));
  CHECK_THAT(npy_problem(std::string("\x93NUMPY\x01\x00\xff\xff{}", 12)), Contains("ends within its header"));
}

TEST_CASE("Npy: a file that cannot be opened or written is an error", "[model][unit]") {
  CHECK_FALSE(read_npy("/nonexistent.npy").ok());
  CHECK(write_npy("/nonexistent/a.npy", {{1}, {1}}).error().code == yolod::common::ErrorCode::kSystem);
}
