// Prints yolod's answer to each file of samples/, and to some files cut short: the column "yolod" of docs/formats.md.
//
//   format_answers SAMPLES                  a line "name <tab> answer" for each
//   format_answers SAMPLES --pixels FOLDER  also writes the decoded pictures as FOLDER/name.ppm
//   format_answers SAMPLES --check PAGE     compares with the page; prints lines that differ and exits 1
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/api/native_error.hpp"
#include "model/image/codec/decode.hpp"

namespace {

namespace fs = std::filesystem;
using yolod::model::image::Size;

constexpr std::array<int, 4> kCuts{25, 50, 75, 99};  // percent of the file

struct Sample {
  std::string name;
  std::string drawing;
  int tolerance{0};
  bool is_cut{false};
};

struct Pixels {
  Size size;
  std::string rgb;
};

std::string read_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return text.str();
}

std::vector<std::string> split(const std::string& line, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(line);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

std::vector<Sample> read_samples(const fs::path& folder) {
  std::vector<Sample> samples;
  std::istringstream lines(read_file(folder / "samples.tsv"));
  for (std::string line; std::getline(lines, line);) {
    const auto fields = split(line, '\t');
    if (fields.size() != 6)
      throw std::runtime_error("samples.tsv: a line of " + std::to_string(fields.size()) + " fields");
    samples.push_back({fields[0], fields[3], std::stoi(fields[4]), fields[5] == "cut"});
  }
  return samples;
}

// Reads a drawing as make_samples.py writes it.
Pixels read_drawing(const fs::path& file) {
  const auto text = read_file(file);
  Pixels pixels;
  if (std::sscanf(text.c_str(), "P6\n%d %d\n255\n", &pixels.size.width, &pixels.size.height) != 2)
    throw std::runtime_error(file.string() + " is no drawing");
  const auto bytes = 3 * static_cast<std::size_t>(pixels.size.width) * static_cast<std::size_t>(pixels.size.height);
  pixels.rgb = text.substr(text.size() - bytes);
  return pixels;
}

Pixels pixels_of(const yolod::model::image::Picture& picture) {
  const auto view = picture.view();
  Pixels pixels{{view.width, view.height}, {}};
  for (int y = 0; y < view.height; ++y) {
    const auto* row = view.bgr + static_cast<std::size_t>(y) * view.stride_bytes;
    for (int x = 0; x < view.width; ++x) {
      for (const int channel : {2, 1, 0}) pixels.rgb += static_cast<char>(row[3 * x + channel]);
    }
  }
  return pixels;
}

int furthest(const std::string& one, const std::string& other) {
  int most = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    most = std::max(most, std::abs(static_cast<unsigned char>(one[i]) - static_cast<unsigned char>(other[i])));
  }
  return most;
}

std::string compared(const Pixels& pixels, const Sample& sample, const fs::path& folder) {
  const auto sides = std::to_string(pixels.size.width) + " x " + std::to_string(pixels.size.height);
  if (sample.drawing == "-") return sides;
  const auto drawing = read_drawing(folder / "drawn" / (sample.drawing + ".ppm"));
  if (pixels.size != drawing.size) return sides;
  return furthest(pixels.rgb, drawing.rgb) <= sample.tolerance ? "as drawn" : "not as drawn";
}

class Answers {
 public:
  Answers(fs::path samples, fs::path pixels) : samples_(std::move(samples)), pixels_(std::move(pixels)) {
    for (const auto& sample : read_samples(samples_)) {
      const auto file = read_file(samples_ / sample.name);
      answer(sample, sample.name, file);
      if (!sample.is_cut) continue;
      for (const int percent : kCuts) {
        const auto length = file.size() * static_cast<std::size_t>(percent) / 100;
        answer(sample, sample.name + "@" + std::to_string(percent), file.substr(0, length));
      }
    }
  }

  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

 private:
  void answer(const Sample& sample, const std::string& name, const std::string& file) {
    const auto picture = yolod::model::image::decode(std::as_bytes(std::span(file.data(), file.size())), {});
    if (!picture) {
      const auto status = static_cast<unsigned>(yolod::app::api::http_status(picture.error().code));
      all_.emplace_back(name, std::to_string(status) + ": " + yolod::app::api::client_message(picture.error()));
      return;
    }
    const auto pixels = pixels_of(*picture);
    all_.emplace_back(name, compared(pixels, sample, samples_));
    if (pixels_.empty()) return;
    std::ofstream out(pixels_ / (name + ".ppm"), std::ios::binary);
    out << "P6\n" << pixels.size.width << ' ' << pixels.size.height << "\n255\n" << pixels.rgb;
    if (!out.flush()) throw std::runtime_error("cannot write to " + pixels_.string());
  }

  fs::path samples_;
  fs::path pixels_;
  std::vector<std::pair<std::string, std::string>> all_;
};

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? std::string() : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Reads the rows "| `name` | what it is | yolod | ...".
std::map<std::string, std::string> answers_on_page(const fs::path& page) {
  std::map<std::string, std::string> found;
  std::istringstream lines(read_file(page));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const auto cells = split(line, '|');
    if (cells.size() < 4) continue;
    const auto name = trimmed(cells[1]);
    found[name.substr(1, name.size() - 2)] = trimmed(cells[3]);
  }
  return found;
}

int check(const Answers& answers, const fs::path& page) {
  auto on_page = answers_on_page(page);
  int differences = 0;
  const auto complain = [&](const std::string& name, const std::string& says, const std::string& answer) {
    std::printf("%s: the page says \"%s\", the answer is \"%s\"\n", name.c_str(), says.c_str(), answer.c_str());
    ++differences;
  };
  for (const auto& [name, answer] : answers.all()) {
    const auto row = on_page.find(name);
    const auto says = row == on_page.end() ? std::string("nothing") : row->second;
    if (says != answer) complain(name, says, answer);
    if (row != on_page.end()) on_page.erase(row);
  }
  for (const auto& [name, says] : on_page) complain(name, says, "that there is no such sample");
  if (differences != 0) std::printf("tools/formats writes %s anew\n", page.c_str());
  return differences == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() != 1 && arguments.size() != 3) {
    std::fputs("usage: format_answers SAMPLES [--pixels FOLDER | --check PAGE]\n", stderr);
    return 2;
  }
  try {
    const bool checks = arguments.size() == 3 && arguments[1] == "--check";
    const Answers answers(arguments[0], arguments.size() == 3 && !checks ? arguments[2] : "");
    if (checks) return check(answers, arguments[2]);
    for (const auto& [name, answer] : answers.all()) std::printf("%s\t%s\n", name.c_str(), answer.c_str());
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "format_answers: %s\n", failure.what());
    return 2;
  }
}
