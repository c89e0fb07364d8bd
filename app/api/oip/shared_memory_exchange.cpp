#include "app/api/oip/shared_memory_exchange.hpp"

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>

#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::size_t kLongestShownName = 100;

// Returns the member if it is a whole number that is not negative.
std::optional<std::uint64_t> size_in(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr) return std::nullopt;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) return static_cast<std::uint64_t>(value->get_int64());
  return std::nullopt;
}

}  // namespace

Outcome<void> SharedMemoryExchange::look_at(const http::RequestView& request) {
  if (!regions_.is_on()) return Error{ErrorCode::kNotFound, "Not Found"};
  if (!request.captures.empty()) name_ = request.captures.front();
  return {};
}

http::Exchange::Next SharedMemoryExchange::act(std::string_view body, http::Response& response) {
  switch (action_) {
    case Action::kStatus: return write_status(response);
    case Action::kRegister: return add(body, response);
    case Action::kUnregister: break;
  }
  if (memory_ == Memory::kSystem) {
    if (name_.empty()) {
      regions_.remove_all();
    } else {
      regions_.remove(name_);
    }
  }
  response.start(boost::beast::http::status::ok);
  return Next::kRespond;
}

http::Exchange::Next SharedMemoryExchange::add(std::string_view body, http::Response& response) {
  if (memory_ == Memory::kCuda) {
    return fail({ErrorCode::kBadRequest, "failed to register CUDA shared memory region: '" +
                                             common::printable(name_, kLongestShownName) + "', GPUs not supported"},
                response);
  }
  const auto asked = object_in(body);
  if (!asked) return fail(asked.error(), response);
  const json::value* const key = asked->if_contains("key");
  const auto bytes = size_in(*asked, "byte_size");
  const auto offset = asked->contains("offset") ? size_in(*asked, "offset") : std::optional<std::uint64_t>(0);
  if (key == nullptr || !key->is_string() || !bytes || !offset) {
    return fail({ErrorCode::kBadRequest, "'key' must be a text, and 'byte_size' and 'offset' whole numbers"}, response);
  }
  const auto& text = key->get_string();
  if (auto added = regions_.add(name_, std::string(text.data(), text.size()), *offset, *bytes); !added) {
    return fail(added.error(), response);
  }
  response.start(boost::beast::http::status::ok);
  return Next::kRespond;
}

http::Exchange::Next SharedMemoryExchange::write_status(http::Response& response) {
  const bool is_known = memory_ == Memory::kSystem && regions_.all().contains(name_);
  if (!name_.empty() && !is_known) {
    write_failure(response, boost::beast::http::status::not_found,
                  std::string("Unable to find ") + (memory_ == Memory::kSystem ? "system" : "cuda") +
                      " shared memory region: '" + common::printable(name_, kLongestShownName) + "'");
    return Next::kRespond;
  }
  response.start(boost::beast::http::status::ok);
  http::TextBuffer& out = response.body;
  out += '[';
  bool first = true;
  for (const auto& [name, region] : regions_.all()) {
    if (memory_ == Memory::kCuda || (!name_.empty() && name != name_)) continue;
    if (!first) out += ',';
    first = false;
    out += R"({"name":)";
    out.add_json(common::as_utf8(name));
    out += R"(,"key":)";
    out.add_json(common::as_utf8(region->key));
    out += R"(,"offset":)";
    out.add_whole(region->offset);
    out += R"(,"byte_size":)";
    out.add_whole(region->bytes);
    out += '}';
  }
  out += ']';
  return Next::kRespond;
}

}  // namespace yolod::app::api::oip
