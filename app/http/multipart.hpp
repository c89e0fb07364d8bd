// Finds one part of a multipart/form-data body (RFC 7578, RFC 2046) that is already in memory. No sockets, no copies.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/outcome.hpp"

namespace yolod::app::http {

// Whether a Content-Type header names that media type, whatever its parameters.
[[nodiscard]] bool is_media_type(std::string_view content_type, std::string_view type);
// True if the Content-Type header says multipart/form-data.
[[nodiscard]] bool is_multipart(std::string_view content_type);

// The boundary parameter, unquoted; nothing if absent or not what RFC 2046 allows (1 to 70 of its characters).
[[nodiscard]] std::optional<std::string> multipart_boundary(std::string_view content_type);

// Finds the content of the part with a given name, a bounded piece of work at a time, so that a long body does not hold
// up whoever else shares the thread. The work grows linearly with the body, whatever its bytes are.
//
// No client must believe that more was read than was: a part too many of that name, another file and an option among
// the parts are refused by their names. Other fields, such as a button's, are passed over.
//
// One thread. The body must stay where it is until the scanner is done.
class MultipartScanner {
 public:
  using Content = std::span<const std::byte>;

  // `boundary` is multipart_boundary()'s, `name` that of the wanted part, of which there may be `most_parts`; `refused`
  // are names of fields that would say something elsewhere, and outlive this object.
  MultipartScanner(Content body, std::string_view boundary, std::string_view name,
                   std::span<const std::string_view> refused = {}, std::size_t most_parts = 1);

  // Looks at about `budget_bytes` more of the body: at most at so many and the 8 KiB of one part's headers. True once
  // it is done.
  [[nodiscard]] bool step(std::size_t budget_bytes);

  // The content of the first wanted part as a view into the body. Errors are kBadRequest and say what is wrong with the
  // body. REQUIRES: step() has returned true.
  [[nodiscard]] const common::Outcome<Content>& result() const { return result_; }
  // All wanted parts, in order; at least one. REQUIRES: result() is no Error.
  [[nodiscard]] std::span<const Content> parts() const { return wanted_; }

 private:
  struct PartName {
    std::optional<std::string> name;
    bool is_file{false};
  };
  [[nodiscard]] static PartName part_name(std::string_view headers);

  //   kFirstBoundary -> kAfterBoundary -> kPadding -> kHeaders -> kContent -> kAfterBoundary ...
  //                                                     \-> kLongHeaders -> kAfterBoundary
  // Each leads to kDone as well.
  enum class State {
    kFirstBoundary,
    kAfterBoundary,  // at_ is behind a boundary
    kPadding,        // at_ is in the blanks that may follow it
    kHeaders,        // at_ is at the line break that ends a boundary's line
    kLongHeaders,    // looks for the boundary behind headers that are too long or have no end
    kContent,        // looks for the boundary behind a part's content
    kDone,
  };

  // What a search found in the part of the body that it was allowed to look at.
  enum class Search { kFound, kAbsent, kGoesOn };

  void work(std::size_t& budget_bytes);
  void begin(std::size_t& budget_bytes);
  void after_boundary();
  void skip_padding(std::size_t& budget_bytes);
  void read_headers(std::size_t& budget_bytes);
  void next_part(std::size_t delimiter_at);
  void refuse(std::string why);
  // The form ends here, well or not. That is overlooked behind a whole part of the wanted name.
  void end_with(std::string_view why);
  // Whether it is one that must not be passed over: then it is refused.
  [[nodiscard]] bool refuse_part(const PartName& part);
  // For the delimiter, from at_ on; moves at_ past what need not be looked at again. On kFound at_ is where it begins.
  [[nodiscard]] Search find_delimiter(std::size_t& budget_bytes);

  std::string_view text_;
  std::string delimiter_;  // CR LF, two dashes and the boundary
  std::string name_;
  std::span<const std::string_view> refused_;
  State state_{State::kFirstBoundary};
  std::size_t at_{0};
  std::size_t content_{0};      // where the present part's content begins
  bool is_wanted_part_{false};  // the present one
  const std::size_t most_parts_;
  boost::container::small_vector<Content, 1> wanted_;  // those whose end has been found
  int part_count_{0};
  common::Outcome<Content> result_;
};

// The same in one go, for a body that is known to be short.
[[nodiscard]] common::Outcome<std::span<const std::byte>> find_part(std::span<const std::byte> body,
                                                                    std::string_view boundary, std::string_view name,
                                                                    std::span<const std::string_view> refused = {});

}  // namespace yolod::app::http
