// A request's target, and the parameters in it.
#include "app/http/request_target.hpp"

#include "app/http/parameters.hpp"
#include "app/http/routes.hpp"
#include "tests/fuzz/fuzz_input.hpp"

using namespace yolod;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static app::RequestTarget target;
  if (!target.parse(fuzz::as_text(data, size))) return 0;
  fuzz::require(!target.path().empty() && target.path().front() == '/');
  fuzz::require(target.path().find('\0') == std::string_view::npos);
  (void)app::find_route(target.path());
  const auto parameters = app::parse_predict_parameters(target);
  if (!parameters) fuzz::require_one_line(parameters.error(), common::ErrorCode::kInvalidParameter);
  return 0;
}
