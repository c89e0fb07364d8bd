#include "app/http/multipart.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "tests/support/rounds.hpp"

namespace yolod::app::http {
namespace {

using namespace std::string_literals;
using common::ErrorCode;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Returns the content of the part `image`, or nothing for an error. Every error must be a bad request.
std::optional<std::string> image_in(const std::string& body, const std::string& boundary = "b0") {
  const auto part = find_part(bytes_of(body), boundary, "image");
  if (!part) {
    CHECK(part.error().code == ErrorCode::kBadRequest);
    CHECK_FALSE(part.error().message.empty());
    return std::nullopt;
  }
  return std::string(reinterpret_cast<const char*>(part->data()), part->size());
}

std::string part(const std::string& name, const std::string& content) {
  return "--b0\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + content + "\r\n";
}

std::string form(const std::string& content) { return part("image", content) + "--b0--\r\n"; }

// ---- Content-Type ----

TEST_CASE("Multipart: the content type is recognized in any case and with any parameters", "[app][unit]") {
  CHECK(is_multipart("multipart/form-data"));
  CHECK(is_multipart("multipart/form-data; boundary=x"));
  CHECK(is_multipart("Multipart/Form-Data;boundary=x"));
  CHECK(is_multipart(" multipart/form-data ; boundary=x"));
  CHECK_FALSE(is_multipart(""));
  CHECK_FALSE(is_multipart("image/jpeg"));
  CHECK_FALSE(is_multipart("multipart/mixed; boundary=x"));
  CHECK_FALSE(is_multipart("multipart/form-datax"));
  CHECK_FALSE(is_multipart("image/jpeg; x=multipart/form-data"));
}

TEST_CASE("Multipart: the boundary is read as a token or quoted", "[app][unit]") {
  CHECK(multipart_boundary("multipart/form-data; boundary=abc") == "abc");
  CHECK(multipart_boundary("multipart/form-data;boundary=abc") == "abc");
  CHECK(multipart_boundary("multipart/form-data; BOUNDARY=AbC") == "AbC");
  CHECK(multipart_boundary("multipart/form-data; charset=utf-8; boundary=abc") == "abc");
  CHECK(multipart_boundary("multipart/form-data; boundary=abc; charset=utf-8") == "abc");
  CHECK(multipart_boundary("multipart/form-data; boundary=\"abc\"") == "abc");
  CHECK(multipart_boundary("multipart/form-data; boundary=\"a b:c/d=e?f\"") == "a b:c/d=e?f");
  CHECK(multipart_boundary("multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW") ==
        "----WebKitFormBoundary7MA4YWxkTrZu0gW");
}

TEST_CASE("Multipart: a boundary that lacks its necessary quotes is read up to the semicolon", "[app][unit]") {
  CHECK(multipart_boundary("multipart/form-data; boundary=----=_Part_1_23.45") == "----=_Part_1_23.45");
  CHECK(multipart_boundary("multipart/form-data; boundary====1656457491496===; charset=utf-8") ==
        "===1656457491496===");
  CHECK(multipart_boundary("multipart/form-data; boundary=a/b:c ;x=y") == "a/b:c");
  CHECK(multipart_boundary("multipart/form-data; x; boundary = abc") == "abc");
  CHECK(multipart_boundary("multipart/form-data; x=\";boundary=no\"; boundary=yes") == "yes");
}

TEST_CASE("Multipart: a boundary that RFC 2046 does not allow is ignored", "[app][unit]") {
  CHECK_FALSE(multipart_boundary(""));
  CHECK_FALSE(multipart_boundary("multipart/form-data"));
  CHECK_FALSE(multipart_boundary("multipart/form-data; charset=utf-8"));
  CHECK_FALSE(multipart_boundary("multipart/form-data; boundary="));
  CHECK_FALSE(multipart_boundary("multipart/form-data; boundary=\"\""));
  CHECK_FALSE(multipart_boundary("multipart/form-data; boundary=\"ends in a space \""));
  CHECK_FALSE(multipart_boundary("multipart/form-data; boundary=\"a\\\"b\""));
  CHECK_FALSE(multipart_boundary("multipart/form-data; boundary=\"a\r\nb\""));
  CHECK_FALSE(multipart_boundary("multipart/form-data; boundary=\"a@b\""));
  CHECK(multipart_boundary("multipart/form-data; boundary=" + std::string(70, 'x')));
  CHECK_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'x')));
}

// ---- the part ----

TEST_CASE("Multipart: the content lies between the empty line and the boundary, byte for byte", "[app][unit]") {
  const auto content = GENERATE("hello"s, "\r\n"s, "\r\n\r\n"s, "\0\xFF\x80"s, "--"s, "\n"s, "\r"s, "a\r\n"s, "\r\n-"s,
                                "\r\n--"s, "\r\n--b"s, "x--b0--"s, "\n--b0\n"s, "\r--b0"s);
  CHECK(image_in(form(content)) == content);
}

TEST_CASE("Multipart: the part is a view into the body", "[app][unit]") {
  const std::string body = form("hello");
  const auto found = find_part(bytes_of(body), "b0", "image");
  REQUIRE(found);
  CHECK(reinterpret_cast<const char*>(found->data()) == body.data() + body.find("hello"));
}

TEST_CASE("Multipart: an empty content is found", "[app][unit]") { CHECK(image_in(form("")) == ""); }

TEST_CASE("Multipart: the named part is found among several parts", "[app][unit]") {
  CHECK(image_in(part("a", "1") + part("image", "2") + part("b", "3") + "--b0--") == "2");
  CHECK(image_in(part("a", "") + part("image", "2") + "--b0--") == "2");
}

std::string refusal_of(const std::string& body) {
  const auto found = find_part(bytes_of(body), "b0", "image");
  return found ? "" : found.error().message;
}

TEST_CASE("Multipart: a part that yolod would ignore is refused by its name, before or after the picture",
          "[app][unit]") {
  const auto file = [](const std::string& name) {
    return "--b0\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"a.jpg\"\r\n\r\nx\r\n";
  };
  CHECK(refusal_of(part("image", "1") + part("image", "2") + "--b0--") ==
        "multipart: a second part is named image, but a request may have one picture");
  for (const bool before : {true, false}) {
    const auto with = [&](const std::string& other) {
      return refusal_of(before ? other + form("1") : part("image", "1") + other + "--b0--");
    };
    CHECK(with(file("image2")) ==
          "multipart: the part \"image2\" is a file, but the file must be in the part named image");
    CHECK(with(file(std::string(5000, 'x'))).size() < 200);
    CHECK(with(file("a\x1b")).find('\x1b') == std::string::npos);
    CHECK(with(part("submit", "Upload")).empty());
    CHECK(with(part("csrf", "0123")).empty());
  }
  CHECK(refusal_of("--b0\r\nContent-Disposition: form-data; filename=image\r\n\r\nx\r\n" + form("y")) ==
        "multipart: the part \"\" is a file, but the file must be in the part named image");
  CHECK(refusal_of(file("photo") + "--b0--") ==
        "multipart: the part \"photo\" is a file, but the file must be in the part named image");
}

TEST_CASE("Multipart: a form may be damaged after its complete picture", "[app][unit]") {
  for (const auto* rest : {"--b0", "--b0x", "--b0\r\n", "--b0\r\nX: 1", "--b0\r\nX: 1\r\n\r\ny"}) {
    CAPTURE(rest);
    CHECK(image_in(part("image", "1") + rest) == "1");
  }
}

TEST_CASE("Multipart: names are matched exactly", "[app][unit]") {
  CHECK_FALSE(image_in(part("Image", "1") + part("image2", "2") + part("", "3") + part("imag", "4") + "--b0--"));
}

TEST_CASE("Multipart: a preamble and an epilogue are skipped", "[app][unit]") {
  CHECK(image_in("This is a message.\r\nIn two lines, --b0 among them.\r\n" + form("x") + "epilogue") == "x");
  CHECK(image_in("\r\n" + form("x")) == "x");
}

TEST_CASE("Multipart: other headers, any case and other parameters do no harm", "[app][unit]") {
  const auto headers =
      GENERATE("Content-Disposition: form-data; name=image"s, "content-disposition:form-data;name=\"image\""s,
               "CONTENT-DISPOSITION: form-data; NAME=\"image\""s,
               "Content-Disposition: form-data; filename=\"a.jpg\"; name=\"image\""s,
               "Content-Disposition: form-data; name=\"image\"; filename=\"a;name=x.jpg\""s,
               "Content-Disposition: form-data; filename=\"a \\\"quoted\\\" name.jpg\"; name=\"image\""s,
               "Content-Disposition: form-data; name=\"image\"; filename=\"Stra\xC3\x9F\x65.jpg\""s,
               "Content-Disposition: form-data; filename=\"Stra\xC3\x9F\x65.jpg\"; name=\"image\""s,
               "Content-Disposition: form-data; name=\"image\"; filename*=UTF-8''a%20b.jpg"s,
               "Content-Type: image/jpeg\r\nContent-Disposition: form-data; name=\"image\"\r\nX-Other: 1"s,
               "Content-Disposition: form-data; filename=IMG_(1) a/b.jpg; name=\"image\""s,
               "Content-Disposition: form-data; filename=Stra\xC3\x9F\x65.jpg; name=image"s,
               "no colon here\r\nContent-Disposition: form-data; name=\"image\""s);
  CAPTURE(headers);
  CHECK(image_in("--b0\r\n" + headers + "\r\n\r\nx\r\n--b0--") == "x");
}

TEST_CASE("Multipart: padding after a boundary is allowed", "[app][unit]") {
  CHECK(image_in("--b0 \t\r\nContent-Disposition: form-data; name=image\r\n\r\nx\r\n--b0-- \r\n") == "x");
}

TEST_CASE("Multipart: a part without headers has no name", "[app][unit]") {
  CHECK_FALSE(image_in("--b0\r\n\r\nx\r\n--b0--"));
  CHECK(image_in("--b0\r\n\r\nx\r\n" + form("y")) == "y");
}

TEST_CASE("Multipart: a part without a name in its headers is skipped", "[app][unit]") {
  const auto headers =
      GENERATE("Content-Type: image/jpeg"s, "Content-Disposition: form-data"s, "Content-Disposition:"s,
               "Content-Disposition: form-data; name"s, "X-Content-Disposition: form-data; name=image"s, ":"s);
  CAPTURE(headers);
  CHECK(image_in("--b0\r\n" + headers + "\r\n\r\nx\r\n" + form("y")) == "y");
}

TEST_CASE("Multipart: a line that begins with the boundary ends the content, as RFC 2046 requires", "[app][unit]") {
  CHECK(image_in("--b0\r\nContent-Disposition: form-data; name=image\r\n\r\nx\r\n--b0123\r\ny\r\n--b0--") == "x");
}

TEST_CASE("Multipart: a boundary may have the largest length and every allowed character", "[app][unit]") {
  const auto boundary = GENERATE(std::string(70, '-'), "'()+_,-./:=? x"s, "0"s);
  const auto body = "--" + boundary + "\r\nContent-Disposition: form-data; name=image\r\n\r\n-\r\n--" + boundary + "--";
  CHECK(image_in(body, boundary) == "-");
}

// ---- errors ----

TEST_CASE("Multipart: a body without the boundary is refused", "[app][unit]") {
  const auto body = GENERATE(""s, "x"s, "--"s, "--b"s, "--b1\r\n"s, "x--b0\r\n"s, "\n--b0\r\n\r\nx\r\n--b0--"s);
  CAPTURE(body);
  CHECK_FALSE(image_in(body));
}

TEST_CASE("Multipart: a body without the named part is refused", "[app][unit]") {
  CHECK_FALSE(image_in("--b0--\r\n"));
  CHECK_FALSE(image_in(part("other", "x") + "--b0--\r\n"));
}

TEST_CASE("Multipart: a part after the closing boundary is not found", "[app][unit]") {
  CHECK_FALSE(image_in("--b0--\r\n" + form("x")));
}

TEST_CASE("Multipart: a last part without a closing boundary is refused", "[app][unit]") {
  CHECK_FALSE(image_in("--b0\r\nContent-Disposition: form-data; name=image\r\n\r\nx"));
  CHECK_FALSE(image_in("--b0\r\nContent-Disposition: form-data; name=image\r\n\r\nx--b0--"));
}

TEST_CASE("Multipart: line breaks of a line feed alone are refused", "[app][unit]") {
  CHECK_FALSE(image_in("--b0\nContent-Disposition: form-data; name=image\n\nx\n--b0--\n"));
  CHECK_FALSE(image_in("--b0\r\nContent-Disposition: form-data; name=image\n\nx\r\n--b0--\r\n"));
}

TEST_CASE("Multipart: any bytes but padding after a boundary are refused", "[app][unit]") {
  CHECK_FALSE(image_in("--b0x\r\nContent-Disposition: form-data; name=image\r\n\r\nx\r\n--b0--"));
  CHECK_FALSE(image_in("--b0-\r\nContent-Disposition: form-data; name=image\r\n\r\nx\r\n--b0--"));
}

TEST_CASE("Multipart: a part that ends with its headers does not swallow the next part", "[app][unit]") {
  CHECK(image_in(
            "--b0\r\nX-Note: none\r\n\r\n--b0\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\ny\r\n--b0--") ==
        "y");
}

TEST_CASE("Multipart: headers without an end are refused, however long they are", "[app][unit]") {
  const std::string start = "--b0\r\nContent-Disposition: form-data; name=image\r\n";
  CHECK_FALSE(image_in(start + "X: 1\r\n--b0--"));
  CHECK_FALSE(image_in(start + std::string(1 << 20U, 'x') + "\r\n\r\nx\r\n--b0--"));
}

TEST_CASE("Multipart: a body with too many parts is refused", "[app][unit]") {
  std::string many;
  for (int i = 0; i < 63; ++i) many += part("other", "x");
  CHECK(image_in(many + form("y")) == "y");
  CHECK_FALSE(image_in(many + part("other", "x") + form("y")));
}

TEST_CASE("Multipart: a body that is cut at any byte is either complete or refused", "[app][unit]") {
  const std::string body = "preamble\r\n" + part("a", "1") + form("content");
  const std::size_t enough = body.find("content") + 7 + 6;  // and the boundary after it
  for (std::size_t size = 0; size <= body.size(); ++size) {
    CAPTURE(size);
    const auto image = image_in(body.substr(0, size));
    REQUIRE(image.has_value() == (size >= enough));
    if (image) REQUIRE(*image == "content");
  }
}

// ---- in pieces of work ----

// Tells whether these headers name the part `image`.
bool name_image(std::string_view headers) {
  const auto body = "--Q\r\n" + std::string(headers) + "\r\n\r\n\r\n--Q--";
  return find_part(bytes_of(body), "Q", "image").ok();
}

// This reference finds the part with std::string_view::find(), as the code did before the scanner. It is short, and
// slow
// for hostile bytes. The scanner must give the same results.
std::optional<std::string> find_simply(const std::string& body, const std::string& boundary) {
  const std::string_view text = body;
  const std::string dashed = "--" + boundary;
  const std::string delimiter = "\r\n" + dashed;
  constexpr auto kNowhere = std::string_view::npos;
  std::optional<std::string> image;
  std::size_t at = text.starts_with(dashed) ? 0 : text.find(delimiter);
  if (at == kNowhere) return std::nullopt;
  at += at == 0 && text.starts_with(dashed) ? dashed.size() : delimiter.size();
  for (int number = 0; number < 64; ++number) {
    if (text.substr(at).starts_with("--")) return image;
    const std::size_t line_end = text.find("\r\n", at);
    if (line_end == kNowhere) return image;
    if (text.substr(at, line_end - at).find_first_not_of(" \t") != kNowhere) return image;
    const std::size_t headers_end = text.substr(line_end, 8192).find("\r\n\r\n");
    const std::size_t next = text.find(delimiter, line_end);
    if (headers_end != kNowhere && next != kNowhere && next < line_end + headers_end + 4) {
      at = next + delimiter.size();
      continue;
    }
    if (headers_end == kNowhere) {
      if (next == kNowhere) return image;
      at = next + delimiter.size();
      continue;
    }
    const std::string_view headers = text.substr(line_end + 2, headers_end == 0 ? 0 : headers_end - 2);
    const bool is_image = name_image(headers);
    if (is_image && image) return std::nullopt;  // a second part of that name
    const std::size_t content = line_end + headers_end + 4;
    const std::size_t content_end = text.find(delimiter, content);
    if (content_end == kNowhere) return image;
    if (is_image) image = std::string(text.substr(content, content_end - content));
    at = content_end + delimiter.size();
  }
  return image;
}

std::optional<std::string> image_in_steps(const std::string& body, const std::string& boundary, std::size_t budget) {
  MultipartScanner scanner(bytes_of(body), boundary, {.name = "image"});
  while (!scanner.step(budget)) {
  }
  const auto& found = scanner.result();
  if (!found) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(found->data()), found->size());
}

// Scans in small steps. Returns the contents of the parts, each followed by ';', or the text of the error.
std::string images_in(const std::string& body, const FormRules& rules) {
  MultipartScanner scanner(bytes_of(body), "b0", rules);
  while (!scanner.step(3)) {
  }
  if (!scanner.result()) return scanner.result().error().message;
  std::string all;
  for (const auto& content : scanner.parts()) {
    all.append(reinterpret_cast<const char*>(content.data()), content.size()).append(";");
  }
  return all;
}

TEST_CASE("MultipartScanner: the scanner finds up to the requested number of parts, and no more", "[app][unit]") {
  const auto body =
      part("image", "one") + part("button", "x") + part("image", "") + part("image", "three") + "--b0--\r\n";
  CHECK(images_in(body, {.name = "image", .most_parts = 3}) == "one;;three;");
  CHECK(images_in(body, {.name = "image", .most_parts = 8}) == "one;;three;");
  CHECK(images_in(body, {.name = "image", .most_parts = 2}) == "multipart: the form has more than 2 parts named image");
  CHECK(images_in(part("button", "x") + "--b0--\r\n", {.name = "image", .most_parts = 2}) ==
        "multipart: the form has no part named image");
}

TEST_CASE("MultipartScanner: the scanner reads the short texts that the rules name", "[app][unit]") {
  static constexpr std::array<std::string_view, 2> kFields{"confidence", "empty"};
  const auto scan = [](const std::string& body, bool is_lenient) {
    MultipartScanner scanner(bytes_of(body), "b0", {.name = "image", .fields = kFields, .is_lenient = is_lenient});
    while (!scanner.step(3)) {
    }
    if (!scanner.result()) return scanner.result().error().message;
    return std::string(scanner.field("confidence").value_or("absent")) + ';' +
           std::string(scanner.field("empty").value_or("absent"));
  };
  const std::string picture = "--b0\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\nx\r\n";
  const std::string end = "--b0--\r\n";
  const std::string confidence = part("confidence", "0.5");
  CHECK(scan(confidence + picture + part("empty", "") + end, false) == "0.5;");
  CHECK(scan(picture + confidence + end, true) == "0.5;absent");
  CHECK(scan(picture + end, false) == "absent;absent");
  CHECK(scan(picture + confidence + part("confidence", "0.6") + end, true) == "0.5;absent");
  CHECK(scan(picture + confidence + part("confidence", "0.6") + end, false) ==
        "multipart: a second part is named confidence");
  CHECK(scan(picture + part("confidence", std::string(256, '1')) + end, false) == std::string(256, '1') + ";absent");
  CHECK(scan(picture + part("confidence", std::string(257, '1')) + end, true) ==
        "multipart: the part confidence is longer than 256 bytes");
}

TEST_CASE("MultipartScanner: lenient rules take only files, and skip unknown parts", "[app][unit]") {
  constexpr FormRules kLenient{.name = "image", .is_lenient = true};
  const auto file = [](const std::string& name, const std::string& content) {
    return "--b0\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"f\"\r\n\r\n" + content + "\r\n";
  };
  CHECK(
      images_in(part("image", "text") + file("other", "o") + file("image", "one") + file("image", "two") + "--b0--\r\n",
                kLenient) == "one;");
  CHECK(images_in(part("image", "text") + "--b0--\r\n", kLenient) == "multipart: the form has no part named image");
}

TEST_CASE("MultipartScanner: steps of any size find the same parts as a simple search", "[app][unit]") {
  const std::vector<std::string> pieces{"--b0",
                                        "\r\n--b0",
                                        "\r\n--b0\r\n",
                                        "\r\n--b0--",
                                        "\r\n",
                                        "\r\n\r\n",
                                        "--",
                                        "\r",
                                        "\n",
                                        "-",
                                        " ",
                                        "\t",
                                        "b0",
                                        "x",
                                        "\0"s,
                                        std::string(100, '\r'),
                                        "Content-Disposition: form-data; name=\"image\"",
                                        "\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n",
                                        "X-Other: 1\r\n",
                                        std::string(9000, 'h')};
  std::mt19937 random(11);
  int found_count = 0;
  for (int round = 0; round < tests::rounds(20'000); ++round) {
    std::string body = random() % 2 == 0 ? "--b0" : "";
    for (unsigned i = random() % 16; i > 0; --i) body += pieces[random() % pieces.size()];
    const auto expected = find_simply(body, "b0");
    for (const std::size_t budget : {std::size_t{1}, std::size_t{1 + random() % 16}, std::size_t{64 * 1024}}) {
      if (image_in_steps(body, "b0", budget) != expected) FAIL("with a budget of " << budget << " of: " << body);
    }
    found_count += expected ? 1 : 0;
  }
  CHECK(found_count > tests::rounds(400));
}

TEST_CASE("MultipartScanner: a step reads at most its budget and the headers of one part", "[app][unit]") {
  constexpr std::size_t kBytes = 1 << 20U;
  const auto filler = GENERATE("\r"s, "\r\n--"s, "\r\n--b"s, "x"s, " "s, "\r\n--b1\r\n"s);
  CAPTURE(filler);
  std::string body = GENERATE("--b0"s, "--b0\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n"s, "x"s);
  while (body.size() < kBytes) body += filler;
  MultipartScanner scanner(bytes_of(body), "b0", {.name = "image"});
  std::size_t steps = 1;
  while (!scanner.step(4096)) ++steps;
  CHECK_FALSE(scanner.result());
  CHECK(steps <= 1 + body.size() / 4096 + 1);
}

TEST_CASE("MultipartScanner: a part at any offset from the end of a step is found", "[app][unit]") {
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t length = 0; length < 40; ++length) {
      const auto content = std::string(length, '\r');
      const auto body = std::string(before, 'p') + "\r\n" + form(content);
      REQUIRE(image_in_steps(body, "b0", 16) == content);
    }
  }
}

TEST_CASE("Multipart: random bodies never crash the scanner, and each part lies within its body", "[app][unit]") {
  const std::vector<std::string> pieces{"--b0",       "\r\n",
                                        "--",         "\r",
                                        "\n",         "Content-Disposition: form-data; name=\"image\"",
                                        "name=image", "Content-Disposition:",
                                        ";",          "\"",
                                        "x",          "\0"s,
                                        "\xFF",       ":",
                                        "=",          "\\"};
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    std::string body;
    for (unsigned i = random() % 16; i > 0; --i) body += pieces[random() % pieces.size()];
    const auto found = find_part(bytes_of(body), "b0", "image");
    if (!found) continue;
    const auto* const begin = reinterpret_cast<const char*>(found->data());
    REQUIRE(begin >= body.data());
    REQUIRE(begin + found->size() <= body.data() + body.size());
  }
}

}  // namespace
}  // namespace yolod::app::http
