#include "tools/train/curve.hpp"

#include <sstream>
#include <string>
#include <system_error>

#include "common/system/unfinished_file.hpp"
#include "model/files/read_file.hpp"

namespace yolod::train {
namespace {

using common::Outcome;

constexpr const char* kHeading = "minutes\tstep\tloss\tAP50\tAP50:95\n";
constexpr const char* kNotMeasured = "-";

void append(std::ostream& out, const std::optional<double>& value) {
  out << '\t';
  if (value) {
    out << *value;
  } else {
    out << kNotMeasured;
  }
}

std::istream& operator>>(std::istream& in, std::optional<double>& value) {
  std::string text;
  if (!(in >> text) || text == kNotMeasured) return in;
  std::istringstream number(text);
  double read = 0;
  if (number >> read && number.eof()) {
    value = read;
  } else {
    in.setstate(std::ios::failbit);
  }
  return in;
}

}  // namespace

Outcome<void> Curve::read(std::uint64_t last_step) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 24U;
  std::error_code failed;
  if (!std::filesystem::exists(file_, failed)) return {};
  const auto text = model::read_file(file_, kMaxBytes);
  if (!text) return text.error();
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream values(line);
    CurvePoint point;
    if (!(values >> point.minutes >> point.step >> point.loss >> point.ap50 >> point.ap50_95)) continue;
    if (point.step <= last_step) add(point);
  }
  return {};
}

void Curve::add(const CurvePoint& point) {
  points_.push_back(point);
  written_ = false;
}

Outcome<void> Curve::write() {
  if (written_) return {};
  std::ostringstream text;
  text << kHeading;
  for (const auto& point : points_) {
    text << point.minutes << '\t' << point.step;
    append(text, point.loss);
    append(text, point.ap50);
    append(text, point.ap50_95);
    text << '\n';
  }
  const auto bytes = text.str();
  common::UnfinishedFile file(file_);
  file.write(bytes.data(), bytes.size());
  auto finished = file.finish();
  written_ = finished.ok();
  return finished;
}

}  // namespace yolod::train
