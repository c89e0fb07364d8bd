#include "app/http/request_head.hpp"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <tuple>
#include <utility>

#include "app/http/characters.hpp"
#include "app/http/credential_fields.hpp"
#include "app/http/host.hpp"

namespace yolod::app::http {
namespace {

namespace beast = boost::beast;
namespace beast_http = boost::beast::http;

// Two readers must not read these fields differently. Each count says how often the field occurs.
struct Counted {
  int host{0};
  int transfer_encoding{0};
  int content_length{0};
  int content_type{0};
  std::string_view host_value;
  std::string_view coding;
};

// Returns whether a field's value continues on the next line. RFC 9112, 5.2, requires a server to refuse such a
// value or to replace the line break by a space.
bool is_folded(std::string_view header) {
  for (auto at = header.find('\n'); at != std::string_view::npos; at = header.find('\n', at + 1)) {
    if (at + 1 < header.size() && (header[at + 1] == ' ' || header[at + 1] == '\t')) return true;
  }
  return false;
}

std::string_view ambiguity(unsigned version, const Counted& counts) {
  if (counts.host > 1 || (version == 11 && counts.host == 0)) return "the request must have exactly one Host";
  // A client sends an empty Host if its target has none (RFC 9112, 3.2).
  if (!counts.host_value.empty() && !is_host_and_port(counts.host_value)) return "the Host is not valid";
  if (counts.content_type > 1) return "the request has more than one Content-Type";
  if (counts.transfer_encoding == 0) return {};
  if (version != 11) return "HTTP/1.0 has no Transfer-Encoding";
  if (counts.content_length != 0) return "the request has both Transfer-Encoding and Content-Length";
  if (counts.transfer_encoding != 1 || !equal_ignoring_case(counts.coding, "chunked")) {
    return "the only Transfer-Encoding that this server accepts is chunked";
  }
  return {};
}

// Returns true for fields that proxies add. Fields that Beast knows by name are handled in take_fields().
bool is_proxys(std::string_view name) {
  const auto begins = [name](std::string_view start) {
    return equal_ignoring_case(name.substr(0, start.size()), start);
  };
  return begins("X-Forwarded-") || equal_ignoring_case(name, "X-Real-IP") ||
         equal_ignoring_case(name, "X-Original-URL") || equal_ignoring_case(name, "X-Client-IP") ||
         equal_ignoring_case(name, "True-Client-IP") || equal_ignoring_case(name, "CF-Connecting-IP");
}

// If a field occurs more than once, its first value counts, as in Beast's own lookup.
void take_first(std::string_view& text, std::string_view value) {
  if (text.data() == nullptr) text = value;
}

}  // namespace

RequestHeadReader::RequestHeadReader() : memory_(room_.data(), room_.size()) {}

boost::system::error_code RequestHeadReader::read(boost::asio::const_buffer received, RequestHead& head) {
  parser_.reset();
  memory_.release();
  parser_.emplace(std::piecewise_construct, std::make_tuple(), std::make_tuple(Allocator(&memory_)));
  parser_->header_limit(kLimitBytes);
  parser_->body_limit(boost::none);  // the exchange decides how long the body may be
  boost::system::error_code failure;
  head.bytes = parser_->put(received, failure);
  if (failure) return failure;
  if (!parser_->is_header_done()) return beast_http::error::need_more;
  take_fields(head);
  if (is_folded({static_cast<const char*>(received.data()), head.bytes})) {
    head.ambiguity = "the value of a header field continues on the next line";
  }
  return {};
}

void RequestHeadReader::take_fields(RequestHead& head) const {
  const auto& header = parser_->get();
  head.method = header.method();
  head.target = {header.target().data(), header.target().size()};
  head.keep_alive = parser_->keep_alive();
  head.chunked = parser_->chunked();
  head.asks_for_upgrade = parser_->upgrade();
  head.content_length = parser_->content_length().value_or(0);
  Counted counts;
  std::string_view expect;
  CredentialFields credentials;
  for (const auto& field : header) {
    const std::string_view value(field.value().data(), field.value().size());
    switch (field.name()) {
      case beast_http::field::host:
        ++counts.host;
        counts.host_value = value;
        break;
      case beast_http::field::content_length: ++counts.content_length; break;
      case beast_http::field::transfer_encoding:
        ++counts.transfer_encoding;
        counts.coding = value;
        break;
      case beast_http::field::expect: take_first(expect, value); break;
      case beast_http::field::content_type:
        ++counts.content_type;
        take_first(head.content_type, value);
        break;
      case beast_http::field::content_encoding:
        if (head.content_encoding.empty() || equal_ignoring_case(head.content_encoding, "identity")) {
          head.content_encoding = value;
        }
        break;
      case beast_http::field::authorization: credentials.authorization(value); break;
      case beast_http::field::cookie: credentials.cookie(value); break;
      case beast_http::field::accept: take_first(head.accept, value); break;
      case beast_http::field::accept_encoding: take_first(head.accept_encoding, value); break;
      case beast_http::field::if_none_match: take_first(head.if_none_match, value); break;
      case beast_http::field::origin:
        take_first(head.origin, value);
        head.forwarded = true;
        break;
      case beast_http::field::access_control_request_method:
        take_first(head.asked_method, value);
        head.forwarded = true;
        break;
      case beast_http::field::sec_fetch_site:
        take_first(head.fetch_site, value);
        head.forwarded = true;
        break;
      case beast_http::field::upgrade: take_first(head.upgrade, value); break;
      case beast_http::field::sec_websocket_key: take_first(head.websocket_key, value); break;
      case beast_http::field::sec_websocket_version: take_first(head.websocket_version, value); break;
      case beast_http::field::sec_websocket_protocol: head.offers_subprotocol |= credentials.subprotocols(value); break;
      case beast_http::field::sec_fetch_dest:
      case beast_http::field::sec_fetch_mode:
      case beast_http::field::sec_fetch_user:
      case beast_http::field::via: head.forwarded = true; break;
      case beast_http::field::forwarded:
        head.forwarding.forwarded.add(value);
        head.forwarded = true;
        break;
      case beast_http::field::unknown:
        if (equal_ignoring_case(field.name_string(), "X-Request-Id")) take_first(head.request_id, value);
        if (equal_ignoring_case(field.name_string(), "X-Request-Timeout")) take_first(head.request_timeout, value);
        if (equal_ignoring_case(field.name_string(), "X-CSRF-Token")) take_first(head.csrf_token, value);
        if (is_key_field(field.name_string())) credentials.key(value);
        if (equal_ignoring_case(field.name_string(), "Inference-Header-Content-Length")) {
          take_first(head.inference_header_length, value);
        }
        if (equal_ignoring_case(field.name_string(), "X-Forwarded-For")) head.forwarding.x_forwarded_for.add(value);
        head.forwarded |= is_proxys(field.name_string());
        break;
      default: break;
    }
  }
  head.credential = credentials.result();
  head.plain_session = credentials.plain_session();
  head.host = counts.host_value;
  head.version = header.version() == 10 ? 10 : 11;
  head.expects_continue = head.version == 11 && equal_ignoring_case(expect, "100-continue");
  head.ambiguity = ambiguity(header.version(), counts);
}

common::Error explain_bad_head(boost::system::error_code failure) {
  if (failure == boost::beast::http::error::header_limit) {
    return {common::ErrorCode::kHeaderTooLarge, "the request's header is larger than 16 KiB"};
  }
  const auto why = [&failure]() -> std::string {
    using boost::beast::http::error;
    if (failure == error::bad_method || failure == error::bad_target) {
      return "the first line does not have the form \"METHOD TARGET HTTP/1.1\" with CR LF at its end";
    }
    if (failure == error::bad_version) return "the version is neither HTTP/1.0 nor HTTP/1.1";
    if (failure == error::bad_content_length || failure == error::multiple_content_length) {
      return "the Content-Length is not one whole number, or the request also has a Transfer-Encoding";
    }
    if (failure == error::bad_transfer_encoding) {
      return "the Transfer-Encoding is not only chunked, or the request also has a Content-Length";
    }
    if (failure == error::bad_field || failure == error::bad_value || failure == error::bad_line_ending ||
        failure == error::bad_obs_fold) {
      return "a header line does not have the form \"Name: value\" with CR LF at its end";
    }
    return "the request does not follow RFC 9112 (HTTP/1.1)";
  }();
  return {common::ErrorCode::kBadRequest, why};
}

}  // namespace yolod::app::http
