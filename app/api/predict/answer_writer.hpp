// Writes the answers of POST /predict and PUT /image, in pieces that each take well below 1 ms. A request for one
// picture gets one object or a file. A request for several pictures gets a list:
//
//   {"success":true,"model":"m","answers":[{"success":true,...},{"success":false,"error":{...}}],"timing_ms":{"total":9}}
//
// The list has the same object for each picture, in order, and an error for a picture that failed. The status is 200 if
// one of them is answered, otherwise the status of the first error.
//
// The handler owns it and uses it on the front-end's only thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/api/handler.hpp"
#include "app/http/response.hpp"

namespace yolod::app::api::predict {

class AnswerWriter {
 public:
  // The writer writes this many items of lists as JSON in one turn of the event loop. The frame of an answer counts as
  // one item.
  static constexpr std::size_t kItemsAtOnce = 500;

  // Returns true when the answer is complete. `elapsed_us` is the time since the request's first byte. REQUIRES: the
  // same `response` in each call; none of the answers is an Error, unless `is_list`; a list has no files.
  [[nodiscard]] bool write_some(const Handler::Result& result, bool is_list, std::uint32_t elapsed_us,
                                http::Response& response);

 private:
  void begin_list(const Handler::Result& result, http::Response& response) const;
  // Writes some of the answer with number answer_, and goes to the next one at its end.
  void write_one(const Handler::Result& result, bool is_list, std::uint32_t elapsed_us, std::size_t& budget,
                 http::TextBuffer& out);

  bool has_begun_{false};
  std::size_t answer_{0};  // the number of the present answer
  bool in_answer_{false};
  std::size_t items_{0};  // of that answer, which are written
};

}  // namespace yolod::app::api::predict
