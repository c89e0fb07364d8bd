#include "common/config/values.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <limits>
#include <string>

namespace yolod::common {
namespace {

using std::chrono::milliseconds;

TEST_CASE("Config values: a size is bytes or has a unit", "[common][unit]") {
  CHECK(parse_size("0").value() == 0);
  CHECK(parse_size("512").value() == 512);
  CHECK(parse_size("512B").value() == 512);
  CHECK(parse_size("16KiB").value() == 16'384);
  CHECK(parse_size("16MiB").value() == 16'777'216);
  CHECK(parse_size("1.5GiB").value() == 1'610'612'736);
  CHECK(parse_size("18446744073709551615").value() == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("Config values: an invalid size is refused, and the error names the units", "[common][unit]") {
  for (const char* text : {"", "MiB", "16MB", "16 MiB", "16mib", "-1", "+1", "1.5B", "1..5KiB", "0x10", "16MiB ", "1e3",
                           ".5KiB", "18446744073709551616", "99999999999999GiB", "inf", "nan"}) {
    INFO(text);
    const auto outcome = parse_size(text);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error().code == ErrorCode::kBadConfig);
    CHECK(outcome.error().message.find("KiB, MiB or GiB") != std::string::npos);
  }
}

TEST_CASE("Config values: a time has a unit, except 0", "[common][unit]") {
  CHECK(parse_time("0").value() == milliseconds(0));
  CHECK(parse_time("0ms").value() == milliseconds(0));
  CHECK(parse_time("250ms").value() == milliseconds(250));
  CHECK(parse_time("1.5s").value() == milliseconds(1500));
  CHECK(parse_time("2m").value() == milliseconds(120'000));
  for (const char* text : {"", "10", "ms", "10h", "1us", "-1s", "0.5ms", "1 s", "10S", "s10"}) {
    INFO(text);
    const auto outcome = parse_time(text);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error().message.find("ms, s or m") != std::string::npos);
  }
  CHECK_FALSE(parse_time("18446744073709551615ms").ok());
}

TEST_CASE("Config values: pixels are a count or megapixels", "[common][unit]") {
  CHECK(parse_pixels("640000").value() == 640'000);
  CHECK(parse_pixels("100MP").value() == 100'000'000);
  CHECK(parse_pixels("0.5MP").value() == 500'000);
  CHECK_FALSE(parse_pixels("100MiB").ok());
  CHECK_FALSE(parse_pixels("").ok());
}

TEST_CASE("Config values: a fraction or a number is a scale", "[common][unit]") {
  CHECK(parse_fraction("1/255").value() == 1.0 / 255.0);
  CHECK(parse_fraction("1").value() == 1.0);
  CHECK(parse_fraction("0.00392").value() == 0.00392);
  CHECK(parse_fraction("-2.5e-1").value() == -0.25);
  for (const char* text : {"", "/", "1/", "/255", "1/0", "0/0", "1/2/3", "a/b", "inf", "nan", "1/ 255"}) {
    INFO(text);
    CHECK_FALSE(parse_fraction(text).ok());
  }
}

TEST_CASE("Config values: counts and reals take plain decimal numbers alone", "[common][unit]") {
  CHECK(parse_count("0").value() == 0);
  CHECK(parse_count("010").value() == 10);
  for (const char* text : {"", "-1", "+1", "1.0", "0x1", "1e3", "ten", "18446744073709551616", "1 "}) {
    INFO(text);
    CHECK_FALSE(parse_count(text).ok());
  }
  CHECK(parse_real("-0.5").value() == -0.5);
  for (const char* text : {"", "inf", "-inf", "nan", "1e999", "0x1p3", ".5", "--1", "1,5"}) {
    INFO(text);
    CHECK_FALSE(parse_real(text).ok());
  }
}

TEST_CASE("Config values: numeric addresses with a port and socket paths can be listened on", "[common][unit]") {
  CHECK(parse_listen_address("127.0.0.1:8080").value() == "127.0.0.1:8080");
  CHECK(parse_listen_address("0.0.0.0:0").value() == "0.0.0.0:0");
  CHECK(parse_listen_address("[::1]:65535").value() == "[::1]:65535");
  CHECK(parse_listen_address("[::]:8080").value() == "[::]:8080");
  CHECK(parse_listen_address("unix:/run/yolod/http.sock").value() == "unix:/run/yolod/http.sock");
  CHECK(parse_listen_address("unix:/" + std::string(106, 'x')).ok());
}

TEST_CASE("Config values: localhost means 127.0.0.1", "[common][unit]") {
  CHECK(parse_listen_address("localhost:8080").value() == "127.0.0.1:8080");
}

TEST_CASE("Config values: an address that cannot be listened on is refused", "[common][unit]") {
  for (const std::string& text :
       {std::string(), std::string("8080"), std::string(":8080"), std::string("127.0.0.1"), std::string("127.0.0.1:"),
        std::string("127.0.0.1:65536"), std::string("127.0.0.1:-1"), std::string("127.0.0.1:http"),
        std::string("127.0.0.256:80"), std::string("127.1:80"), std::string("example.org:80"), std::string("::1:8080"),
        std::string("[127.0.0.1]:80"), std::string("[::1:80"), std::string("[fe80::1%eth0]:80"), std::string("unix:"),
        std::string("unix:relative.sock"), std::string("unix:/dir/"), "unix:/" + std::string(107, 'x')}) {
    INFO(text);
    CHECK_FALSE(parse_listen_address(text).ok());
  }
}

TEST_CASE("Config values: the message for * and an empty host names 0.0.0.0", "[common][unit]") {
  CHECK(parse_listen_address("*:8080").error().message.find("0.0.0.0:8080") != std::string::npos);
  CHECK(parse_listen_address(":8080").error().message.find("0.0.0.0") != std::string::npos);
  CHECK(parse_listen_address("::1:8080").error().message.find("\"[::1]:8080\"") != std::string::npos);
}

TEST_CASE("Config values: a device is the CPU or a numbered GPU", "[common][unit]") {
  CHECK(parse_device("cpu").value() == "cpu");
  CHECK(parse_device("cuda:0").value() == "cuda:0");
  CHECK(parse_device("cuda:127").value() == "cuda:127");
  for (const char* text : {"", "auto", "cuda", "cuda:", "cuda:-1", "cuda:128", "cuda:x", "gpu", "CPU", "cuda:0 "}) {
    INFO(text);
    CHECK_FALSE(parse_device(text).ok());
  }
}

TEST_CASE("Config values: formatted values read as the same values", "[common][unit]") {
  for (const std::uint64_t bytes : {0ULL, 1ULL, 1023ULL, 1024ULL, 1536ULL, 1ULL << 20U, 5ULL << 30U, ~0ULL}) {
    CHECK(parse_size(format_size(bytes)).value() == bytes);
  }
  CHECK(format_size(16ULL << 20U) == "16MiB");
  for (const auto count : {0, 1, 999, 1000, 1500, 60'000, 86'400'000}) {
    CHECK(parse_time(format_time(milliseconds(count))).value() == milliseconds(count));
  }
  CHECK(format_time(milliseconds(90'000)) == "90s");
  for (const double value : {0.0, 1.0, -1.5, 1.0 / 255.0, 1e-7, 123456.789, 1e6}) {
    CHECK(parse_real(format_real(value)).value() == value);
  }
}

TEST_CASE("Config values: text from the file is shown escaped and shortened", "[common][unit]") {
  CHECK(shown("a\nb") == "\"a\\nb\"");
  CHECK(shown(std::string(100, 'x')) == '"' + std::string(60, 'x') + "...\"");
}

}  // namespace
}  // namespace yolod::common
