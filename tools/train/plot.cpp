#include "tools/train/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

namespace yolod::train {
namespace {

constexpr double kWidth = 800;
constexpr double kHeight = 420;
constexpr double kLeft = 70;
constexpr double kRight = 730;
constexpr double kTop = 50;
constexpr double kBottom = 360;

std::string with_decimals(double value, int decimals) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string label(double x, double y, const char* anchor, const std::string& text, const char* colour = "#333") {
  return "<text x=\"" + with_decimals(x, 1) + "\" y=\"" + with_decimals(y, 1) + "\" text-anchor=\"" + anchor +
         "\" fill=\"" + colour + "\">" + text + "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2, const char* colour) {
  return "<line x1=\"" + with_decimals(x1, 1) + "\" y1=\"" + with_decimals(y1, 1) + "\" x2=\"" + with_decimals(x2, 1) +
         "\" y2=\"" + with_decimals(y2, 1) + "\" stroke=\"" + colour + "\"/>\n";
}

// Escapes the user's text for XML.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      default: result += c;
    }
  }
  return result;
}

// Returns the smallest of 1, 2 and 5 times a power of ten that is at least `value`.
double round_up(double value) {
  if (!(value > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= value) return factor * power;
  }
  return 10 * power;
}

struct Series {
  const char* name;
  const char* colour;
  std::optional<double> CurvePoint::*value;
  double top;  // upper end of its scale, which begins at 0
};

std::string polyline(std::span<const CurvePoint> points, const Series& series, double last_step) {
  std::string places;
  std::size_t count = 0;
  std::string dot;
  for (const auto& point : points) {
    const auto& value = point.*series.value;
    if (!value || !std::isfinite(*value)) continue;
    const double x = kLeft + (kRight - kLeft) * static_cast<double>(point.step) / last_step;
    const double y = kBottom - (kBottom - kTop) * std::clamp(*value / series.top, 0.0, 1.0);
    places += (places.empty() ? "" : " ") + with_decimals(x, 1) + "," + with_decimals(y, 1);
    dot = "<circle cx=\"" + with_decimals(x, 1) + "\" cy=\"" + with_decimals(y, 1) + "\" r=\"3\" fill=\"" +
          series.colour + "\"/>\n";
    ++count;
  }
  if (count < 2) return dot;
  return "<polyline fill=\"none\" stroke=\"" + std::string(series.colour) + "\" stroke-width=\"2\" points=\"" + places +
         "\"/>\n";
}

}  // namespace

std::string plot_svg(std::span<const CurvePoint> points, const std::string& title) {
  constexpr int kTicks = 5;
  std::vector<double> losses;
  double last_step = 1;
  for (const auto& point : points) {
    last_step = std::max(last_step, static_cast<double>(point.step));
    if (point.loss && std::isfinite(*point.loss)) losses.push_back(*point.loss);
  }
  // A run from random weights begins with high losses. A scale for them would make the rest of the curve flat.
  std::sort(losses.begin(), losses.end());
  const double most = losses.empty() ? 1 : losses[(losses.size() - 1) * 95 / 100];
  const std::array<Series, 3> all{{{"loss", "#888888", &CurvePoint::loss, round_up(most)},
                                   {"AP50", "#1f6fb4", &CurvePoint::ap50, 1},
                                   {"AP50:95", "#d1640c", &CurvePoint::ap50_95, 1}}};
  const double loss_top = all[0].top;
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + with_decimals(kWidth, 0) + "\" height=\"" +
                    with_decimals(kHeight, 0) + "\" font-family=\"sans-serif\" font-size=\"13\">\n" +
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" +
                    label(kLeft, 24, "start", escaped(title));
  for (int tick = 0; tick <= kTicks; ++tick) {
    const double part = static_cast<double>(tick) / kTicks;
    const double y = kBottom - (kBottom - kTop) * part;
    const double x = kLeft + (kRight - kLeft) * part;
    svg += line(kLeft, y, kRight, y, "#dddddd");
    svg += label(kLeft - 8, y + 4, "end", with_decimals(loss_top * part, loss_top < 5 ? 2 : 0), all[0].colour);
    svg += label(kRight + 8, y + 4, "start", with_decimals(part, 1), all[1].colour);
    svg += label(x, kBottom + 20, "middle", with_decimals(last_step * part, 0));
  }
  svg += label((kLeft + kRight) / 2, kBottom + 42, "middle", "step");
  double x = kRight - 220;
  for (const auto& series : all) {
    svg += polyline(points, series, last_step);
    svg += label(x, 24, "start", series.name, series.colour);
    x += 80;
  }
  return svg + "</svg>\n";
}

}  // namespace yolod::train
