// The pages that the server shows to people, and the files that they need. Their sources are in this folder; the build
// compiles them in. A page has no person's data: its script asks the routes that have it.
#pragma once

#include <string_view>

#include "app/api/native_exchange.hpp"

namespace yolod::app::api::page {

struct EmbeddedFile {
  std::string_view content_type;
  std::string_view content;
  std::string_view etag;    // with its quotes
  std::string_view policy;  // Content-Security-Policy; empty for a file that is no page
};

extern const EmbeddedFile kPage;  // GET /: a person tries the models with pictures
extern const EmbeddedFile kLoginPage;
extern const EmbeddedFile kAccountPage;
extern const EmbeddedFile kAdminPage;
extern const EmbeddedFile kPeopleCss;
extern const EmbeddedFile kPeopleJs;
extern const EmbeddedFile kOpenApi;  // the OpenAPI description of all routes (docs/openapi.json)

// Replaces the whole response. A client whose If-None-Match names the file's ETag gets 304 without the content.
void write_file(const EmbeddedFile& file, std::string_view if_none_match, http::Response& response);

// Answers with a file. A connection owns it and uses it on the front-end's only thread.
class FileExchange final : public NativeExchange, public common::Recycled<FileExchange> {
 public:
  // `metrics` and `file` outlive this object.
  FileExchange(observe::Metrics& metrics, const EmbeddedFile& file) : NativeExchange(metrics), file_(file) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override {
    write_file(file_, request.head.if_none_match, response);
    return Next::kRespond;
  }

 private:
  const EmbeddedFile& file_;
};

}  // namespace yolod::app::api::page
