#include "app/refused_settings.hpp"

#include <iterator>
#include <utility>

#include "app/unsafe_settings.hpp"
#include "app/unsupported_settings.hpp"

namespace yolod::app {
namespace {

std::vector<common::KeyProblem> joined(std::vector<common::KeyProblem> first, std::vector<common::KeyProblem> second) {
  std::move(second.begin(), second.end(), std::back_inserter(first));
  return first;
}

}  // namespace

std::vector<common::KeyProblem> refused_settings(const common::Config& config) {
  return joined(unsafe_settings(config), unsupported_settings(config));
}

std::vector<common::KeyProblem> notes_on_refused_settings() {
  return joined(notes_on_unsafe_settings(), notes_on_unsupported_settings());
}

}  // namespace yolod::app
