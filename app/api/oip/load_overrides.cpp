#include "app/api/oip/load_overrides.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>

#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::size_t kMostSizes = 64;
constexpr std::uint64_t kMostWaitUs = 60'000'000;

Error bad_override(std::string what) { return {ErrorCode::kInvalidParameter, "'config': " + std::move(what)}; }

Error not_replaced(std::string_view key) {
  return bad_override("the key '" + common::printable(key, 100) +
                      "' cannot be replaced: allowed are name, instance_group with count, and dynamic_batching with "
                      "max_queue_delay_microseconds and preferred_batch_size");
}

std::string_view text_of(json::string_view text) { return {text.data(), text.size()}; }

// Returns the number if it is whole and from `least` to `most`.
Outcome<std::uint64_t> whole_in(const json::value& value, std::string_view key, std::uint64_t least,
                                std::uint64_t most) {
  const std::int64_t number = value.is_int64() ? value.get_int64() : -1;
  if (number < 0 || static_cast<std::uint64_t>(number) < least || static_cast<std::uint64_t>(number) > most) {
    return bad_override(std::string(key) + " must be a whole number from " + std::to_string(least) + " to " +
                        std::to_string(most));
  }
  return static_cast<std::uint64_t>(number);
}

Outcome<void> read_instances(const json::value& groups, LoadOverrides& overrides) {
  if (!groups.is_array()) return bad_override("instance_group must be a list");
  std::uint64_t workers = 0;
  for (const json::value& group : groups.get_array()) {
    if (!group.is_object()) return bad_override("instance_group must be a list of objects");
    for (const auto& [key, value] : group.get_object()) {
      if (key != "count") return not_replaced("instance_group." + std::string(text_of(key)));
      const auto count = whole_in(value, "count", 1, common::kMostWorkers);
      if (!count) return count.error();
      workers += *count;
    }
  }
  if (workers == 0 || workers > common::kMostWorkers) {
    return bad_override("instance_group must have 1 to " + std::to_string(common::kMostWorkers) + " instances");
  }
  overrides.workers = static_cast<std::uint32_t>(workers);
  return {};
}

Outcome<void> read_batching(const json::value& batching, LoadOverrides& overrides) {
  if (!batching.is_object()) return bad_override("dynamic_batching must be an object");
  for (const auto& [key, value] : batching.get_object()) {
    if (key == "max_queue_delay_microseconds") {
      const auto wait = whole_in(value, "max_queue_delay_microseconds", 0, kMostWaitUs);
      if (!wait) return wait.error();
      overrides.batch_wait = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::microseconds(*wait));
    } else if (key == "preferred_batch_size") {
      if (!value.is_array() || value.get_array().size() > kMostSizes) {
        return bad_override("preferred_batch_size must be a list of at most " + std::to_string(kMostSizes) +
                            " numbers");
      }
      auto& sizes = overrides.batch_sizes.emplace();
      for (const json::value& one : value.get_array()) {
        const auto size = whole_in(one, "preferred_batch_size", 1, common::kMostInBatch);
        if (!size) return size.error();
        sizes.push_back(static_cast<std::uint32_t>(*size));
      }
      std::sort(sizes.begin(), sizes.end());
      sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    } else {
      return not_replaced("dynamic_batching." + std::string(text_of(key)));
    }
  }
  return {};
}

}  // namespace

Outcome<LoadOverrides> parse_overrides(std::string_view config, std::string_view model) {
  json::error_code failure;
  const auto value = json::parse(json::string_view(config.data(), config.size()), failure);
  if (failure || !value.is_object()) return bad_override("it is not a JSON object");
  LoadOverrides overrides;
  for (const auto& [key, member] : value.get_object()) {
    Outcome<void> read;
    if (key == "name") {
      const bool is_it = member.is_string() && text_of(member.get_string()) == model;
      if (!is_it) read = bad_override("name must be '" + common::printable(model, 100) + "'");
    } else if (key == "instance_group") {
      read = read_instances(member, overrides);
    } else if (key == "dynamic_batching") {
      read = read_batching(member, overrides);
    } else {
      read = not_replaced(text_of(key));
    }
    if (!read) return read.error();
  }
  return overrides;
}

Outcome<void> override_settings(const LoadOverrides& overrides, common::ModelConfig& config) {
  if (overrides.workers) config.workers = *overrides.workers;
  const bool sets_batches = overrides.batch_wait || overrides.batch_sizes;
  if (sets_batches && config.batch.target_p99.count() != 0) {
    return bad_override("dynamic_batching: batch.target_p99 of the model's config decides about its batches");
  }
  if (overrides.batch_wait) config.batch.max_wait = *overrides.batch_wait;
  if (!overrides.batch_sizes) return {};
  if (!overrides.batch_sizes->empty() && overrides.batch_sizes->back() > config.batch.size_limit()) {
    return bad_override("preferred_batch_size: at most " + std::to_string(config.batch.size_limit()) +
                        ", the batch.max_size of the model");
  }
  config.batch.preferred_sizes = *overrides.batch_sizes;
  return {};
}

}  // namespace yolod::app::api::oip
