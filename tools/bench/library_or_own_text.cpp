// Compares the numbers in the text of an answer with fmt's, and prometheus-cpp's histogram with one that has no lock.
#include <fmt/compile.h>
#include <fmt/format.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "app/http/text_buffer.hpp"
#include "tools/bench/library_or_own.hpp"

namespace yolod::bench {
namespace {

struct Box {
  std::string_view label;
  std::uint32_t class_id;
  float confidence;
  std::array<float, 4> sides;
};

// This text uses the same memory as TextBuffer, and fmt writes the numbers.
struct FmtText {
  fmt::basic_memory_buffer<char, 1024> buffer;
  void clear() { buffer.clear(); }
  void operator+=(std::string_view piece) { buffer.append(piece.data(), piece.data() + piece.size()); }
  void operator+=(char c) { buffer.push_back(c); }
  void add_whole(std::uint64_t value) { fmt::format_to(fmt::appender(buffer), FMT_COMPILE("{}"), value); }
  void add_ms(std::uint32_t us) {
    fmt::format_to(fmt::appender(buffer), FMT_COMPILE("{}.{:03}"), us / 1000, us % 1000);
  }
  void add_fixed(float value, int decimals) {
    if (decimals == 2) {
      fmt::format_to(fmt::appender(buffer), FMT_COMPILE("{:.2f}"), value);
    } else {
      fmt::format_to(fmt::appender(buffer), FMT_COMPILE("{:.4f}"), value);
    }
  }
};

// As app/api/predict/prediction_json and app/http/response write them.
template <typename Text>
void write_answer(Text& out, const std::vector<Box>& boxes) {
  out.clear();
  out += R"({"success":true,"model":"network","precision":"fp32","image":{"width":)";
  out.add_whole(768);
  out += R"(,"height":)";
  out.add_whole(576);
  out += R"(},"predictions":[)";
  bool first = true;
  for (const Box& box : boxes) {
    if (!first) out += ',';
    first = false;
    out += R"({"label":")";
    out += box.label;
    out += R"(","class_id":)";
    out.add_whole(box.class_id);
    out += R"(,"confidence":)";
    out.add_fixed(box.confidence, 4);
    constexpr std::array<std::string_view, 4> kNames{R"(,"box":{"x_min":)", R"(,"y_min":)", R"(,"x_max":)",
                                                     R"(,"y_max":)"};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      out += kNames[i];
      out.add_fixed(box.sides[i], 2);
    }
    out += "}}";
  }
  out += R"(],"timing_ms":{"queue":)";
  std::uint32_t us = 127;
  for (const std::string_view name : {R"(,"decode":)", R"(,"infer":)", R"(,"post":)", R"(,"total":)"}) {
    out.add_ms(us);
    out += name;
    us *= 7;
  }
  out.add_ms(us);
  out += "}}";
}

// An answer's header, as app/http/response writes it.
template <typename Text>
void write_head(Text& out) {
  out.clear();
  out += "HTTP/1.1 ";
  out.add_whole(200);
  out += " OK\r\nContent-Type: application/json\r\nServer-Timing: queue;dur=";
  for (const std::uint32_t us : {127U, 2'001U, 35'123U, 410U}) {
    out.add_ms(us);
    out += ", decode;dur=";
  }
  out += "\r\nDate: Sun, 29 Nov 2026 17:00:00 GMT\r\nX-Request-Id: f47ac10b-58cc-4372-a567-0e02b2c3d479\r\n";
  out += "Content-Length: ";
  out.add_whole(2'345);
  out += "\r\n\r\n";
}

// A histogram for one thread: a count for each bucket, and no lock.
class OneThreadHistogram {
 public:
  explicit OneThreadHistogram(const std::vector<double>& bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}
  void observe(double value) {
    ++counts_[static_cast<std::size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin())];
    sum_ += value;
  }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  const std::vector<double>& bounds_;
  std::vector<std::uint64_t> counts_;
  double sum_{0};
};

}  // namespace

void compare_text(int rounds) {
  app::http::TextBuffer own;
  FmtText fmt;
  std::vector<Box> boxes;
  for (std::uint32_t i = 0; i < 20; ++i) {
    const auto at = static_cast<float>(i);
    boxes.push_back({"traffic light", i % 6, 0.97F - at / 40, {17.13F * at, 11.7F * at, 17.13F * at + 93.4F, 500.2F}});
  }
  const auto same = [](std::string_view one, std::string_view other) {
    return one == other ? std::string() : std::string("ANOTHER TEXT");
  };
  const auto text_of = [](const auto& text) { return std::string_view(text.buffer.data(), text.buffer.size()); };
  for (const std::size_t count : {std::size_t{0}, boxes.size()}) {
    const std::vector<Box> some(boxes.begin(), boxes.begin() + static_cast<std::ptrdiff_t>(count));
    write_answer(own, some);
    write_answer(fmt, some);
    compare("the text of an answer with " + std::to_string(count) + " boxes, its header included",
            {{"own numbers: app/http/text_buffer",
              [&] {
                write_answer(own, some);
                write_head(own);
              }},
             {"fmt::format_to, compiled",
              [&] {
                write_answer(fmt, some);
                write_head(fmt);
              },
              same(own.view(), text_of(fmt))}},
            2000, rounds);
  }
}

void compare_histograms(int rounds) {
  const std::vector<double> bounds{0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};
  constexpr std::array<double, 6> kOfARequest{0.000127, 0.002, 0.0351, 0.0004, 0.0388, 4};
  OneThreadHistogram plain(bounds);
  prometheus::Histogram library(bounds);
  compare("the six values of a request in histograms",
          {{"a histogram without a lock",
            [&] {
              for (const double value : kOfARequest) plain.observe(value);
            }},
           {"prometheus::Histogram",
            [&] {
              for (const double value : kOfARequest) library.Observe(value);
            }}},
          20'000, rounds);
  if (plain.sum() == 0) std::printf("nothing was counted\n");
}

}  // namespace yolod::bench
