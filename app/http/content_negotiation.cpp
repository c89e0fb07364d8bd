#include "app/http/content_negotiation.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "app/http/characters.hpp"
#include "common/text.hpp"

namespace yolod::app::http {
namespace {

// Removes the part before `separator` from the front of `rest` and returns it.
std::string_view take(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto part = common::trimmed(rest.substr(0, end));
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return part;
}

// Returns the value of the parameter `q`, or 1 if there is no `q` or its value is invalid.
float weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = take(parameters, ';');
    if (!equal_ignoring_case(take(parameter, '='), "q")) continue;
    const auto digits = common::trimmed(parameter);
    float weight = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), weight);
    if (failure != std::errc{} || end != digits.data() + digits.size() || !(weight >= 0 && weight <= 1)) return 1;
    return weight;
  }
  return 1;
}

// Returns how closely a media range matches the type: 0 if it does not match, 3 if it names the type.
int closeness(std::string_view range, std::string_view type) {
  if (equal_ignoring_case(range, type)) return 3;
  const std::string_view family = type.substr(0, type.find('/') + 1);  // "image/"
  if (range.ends_with('*') && equal_ignoring_case(range.substr(0, range.size() - 1), family)) return 2;
  return range == "*/*" ? 1 : 0;
}

// The range that matches a type most closely decides the weight of the type.
struct Preference {
  std::string_view type;
  int closest{0};
  float weight{0};

  void consider(std::string_view range, float range_weight) {
    const int close = closeness(range, type);
    if (close <= closest) return;
    closest = close;
    weight = range_weight;
  }
};

void consider_all(std::string_view accept, std::initializer_list<Preference*> preferences) {
  while (!accept.empty()) {
    std::string_view item = take(accept, ',');
    const auto range = take(item, ';');
    const float weight = weight_of(item);
    for (Preference* const preference : preferences) preference->consider(range, weight);
  }
}

}  // namespace

bool prefers_png(std::string_view accept) {
  Preference png{"image/png"};
  Preference jpeg{"image/jpeg"};
  consider_all(accept, {&png, &jpeg});
  return png.weight > jpeg.weight;
}

bool prefers_picture(std::string_view accept) {
  Preference png{"image/png"};
  Preference jpeg{"image/jpeg"};
  Preference json{"application/json"};
  consider_all(accept, {&png, &jpeg, &json});
  // Every client accepts */*, so this does not ask for a picture.
  const auto is_asked_for = [&json](const Preference& picture) {
    return picture.closest > 1 && picture.weight > json.weight;
  };
  return is_asked_for(png) || is_asked_for(jpeg);
}

float weight_of_coding(std::string_view accept_encoding, std::string_view coding) {
  while (!accept_encoding.empty()) {
    std::string_view item = take(accept_encoding, ',');
    if (equal_ignoring_case(take(item, ';'), coding)) return weight_of(item);
  }
  return 0;
}

}  // namespace yolod::app::http
