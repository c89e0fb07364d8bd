#include "tools/train/run_note.hpp"

#include <array>
#include <charconv>
#include <sstream>

#include "common/text.hpp"

namespace yolod::train {
namespace {

using common::Error;
using common::ErrorCode;

// Returns the shortest text that reads back as the same number.
std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace

std::string run_note(const RunOptions& options, const std::string& cfg, bool fine_tunes) {
  std::ostringstream note;
  // A resumed run must not hold out pictures that it has learned from: the network knows them.
  if (options.pictures) {
    note << "--images and --labels, --held-out " << shortest(options.pictures->held_out) << "\n--seed " << options.seed;
  } else {
    note << "--scenes\n--seed " << options.seed;
  }
  note << (fine_tunes ? "\n--weights for every layer" : "\n--weights for some layers or none");
  note << "\n\n" << cfg;
  return note.str();
}

common::Outcome<void> check_same_run(const std::string& begun_with, const std::string& asked) {
  if (begun_with == asked) return {};
  std::istringstream begun_lines(begun_with);
  std::istringstream asked_lines(asked);
  std::string begun;
  std::string now;
  while (std::getline(begun_lines, begun) && std::getline(asked_lines, now) && !now.empty()) {
    if (begun != now) {
      return Error{ErrorCode::kBadConfig, "the run was begun with " + common::printable(begun, 100) + ", not with " +
                                              common::printable(now, 100)};
    }
  }
  return Error{ErrorCode::kBadConfig, "the run was begun with another --cfg or number of classes"};
}

}  // namespace yolod::train
