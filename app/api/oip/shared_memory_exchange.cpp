#include "app/api/oip/shared_memory_exchange.hpp"

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>

#include "app/api/request_values.hpp"
#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::size_t kLongestShownName = 100;

}  // namespace

Outcome<void> SharedMemoryExchange::look_at(const http::RequestView& request) {
  if (!regions_.is_on()) return Error{ErrorCode::kNotFound, "Not Found"};
  if (!request.captures.empty()) name_ = request.captures.front();
  owner_ = region_owner_of(request.caller);
  is_admin_ = request.caller.has(accounts::protocol::kScopeAdmin) && request.may_administer();
  return {};
}

void SharedMemoryExchange::remove() {
  if (name_.empty()) return regions_.remove_all(owner_);
  if (!regions_.remove(owner_, name_) && is_admin_) regions_.remove_of_all(name_);
}

std::vector<std::pair<std::string_view, const SharedRegion*>> SharedMemoryExchange::visible() const {
  std::vector<std::pair<std::string_view, const SharedRegion*>> regions;
  if (memory_ == Memory::kCuda) return regions;
  const auto add_from = [&](const SharedRegions::Regions& from) {
    for (const auto& [name, region] : from) {
      if (name_.empty() || name == name_) regions.emplace_back(name, region.get());
    }
  };
  if (!is_admin_) {
    add_from(regions_.of(owner_));
  } else {
    for (const auto& [owner, from] : regions_.all()) add_from(from);
  }
  return regions;
}

http::Exchange::Next SharedMemoryExchange::act(std::string_view body, http::Response& response) {
  switch (action_) {
    case Action::kStatus: return write_status(response);
    case Action::kRegister: return add(body, response);
    case Action::kUnregister: break;
  }
  if (memory_ == Memory::kSystem) remove();
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
  const auto bytes = api::whole_member(*asked, "byte_size");
  const auto offset = asked->contains("offset") ? api::whole_member(*asked, "offset") : std::optional<std::uint64_t>(0);
  if (key == nullptr || !key->is_string() || !bytes || !offset) {
    return fail({ErrorCode::kBadRequest, "'key' must be a text, and 'byte_size' and 'offset' whole numbers"}, response);
  }
  const auto& text = key->get_string();
  if (auto added = regions_.add(owner_, name_, std::string(text.data(), text.size()), *offset, *bytes); !added) {
    return fail(added.error(), response);
  }
  response.start(boost::beast::http::status::ok);
  return Next::kRespond;
}

http::Exchange::Next SharedMemoryExchange::write_status(http::Response& response) {
  const auto regions = visible();
  if (!name_.empty() && regions.empty()) {
    write_failure(response, boost::beast::http::status::not_found,
                  std::string("Unable to find ") + (memory_ == Memory::kSystem ? "system" : "cuda") +
                      " shared memory region: '" + common::printable(name_, kLongestShownName) + "'");
    return Next::kRespond;
  }
  response.start(boost::beast::http::status::ok);
  http::TextBuffer& out = response.body;
  out += '[';
  bool first = true;
  for (const auto& [name, region] : regions) {
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
