// Finds parts of a multipart/form-data body (RFC 7578, RFC 2046) that is already in memory. It needs no socket and
// copies nothing.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::app::http {

// Returns whether a Content-Type header names this media type, with any parameters.
[[nodiscard]] bool is_media_type(std::string_view content_type, std::string_view type);
[[nodiscard]] bool is_multipart(std::string_view content_type);

// Returns the boundary parameter without quotes. Returns nothing if it is absent or violates RFC 2046, which allows
// 1 to 70 of its characters.
[[nodiscard]] std::optional<std::string> multipart_boundary(std::string_view content_type);

// Says which parts of a form are read. The texts and lists outlive the scanner.
struct FormRules {
  std::string_view name;      // of the wanted parts
  std::size_t most_parts{1};  // of that name
  // The names of the short texts that MultipartScanner::field() returns.
  std::span<const std::string_view> fields{};
  // A wanted part must have a file name. The scanner skips other files and further wanted parts instead of refusing
  // them.
  bool is_lenient{false};
};

// Finds the content of the parts with a given name. Each step does a bounded amount of work, so that a long body does
// not hold up the other connections of the thread. The total work grows linearly with the body, whatever its bytes
// are.
//
// A client must not believe that the server used a part that it ignored. Therefore the scanner refuses a second part
// of that name, a second field of one name, and any other file, and names it in the error, unless the rules are
// lenient. It skips other fields, such as the field of a button.
//
// Only one thread may use a scanner. The body must not move until the scanner is done.
class MultipartScanner {
 public:
  using Content = std::span<const std::byte>;

  // A longer field is refused.
  static constexpr std::size_t kLongestField = 256;

  // `boundary` is the result of multipart_boundary().
  MultipartScanner(Content body, std::string_view boundary, const FormRules& rules);

  // Examines about `budget_bytes` more of the body; the 8 KiB of one part's headers may exceed the budget. Returns
  // true when the scan is done.
  [[nodiscard]] bool step(std::size_t budget_bytes);

  // Returns the content of the first wanted part as a view into the body. An Error is kBadRequest and says what is
  // wrong with the body. REQUIRES: step() has returned true.
  [[nodiscard]] const common::Outcome<Content>& result() const { return result_; }
  // Returns all wanted parts in order, at least one. REQUIRES: result() is no Error.
  [[nodiscard]] std::span<const Content> parts() const { return wanted_; }
  // Returns the text of the first part with that name among FormRules::fields, or nothing. REQUIRES: step() has
  // returned true.
  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const;

 private:
  struct PartName {
    std::optional<std::string> name;
    bool is_file{false};
  };
  [[nodiscard]] static PartName part_name(std::string_view headers);

  //   kFirstBoundary -> kAfterBoundary -> kPadding -> kHeaders -> kContent -> kAfterBoundary ...
  //                                                     \-> kLongHeaders -> kAfterBoundary
  // Each state leads to kDone as well.
  enum class State {
    kFirstBoundary,
    kAfterBoundary,  // at_ is after a boundary
    kPadding,        // at_ is in the white space after a boundary
    kHeaders,        // at_ is at the line break that ends the boundary's line
    kLongHeaders,    // the headers are too long or have no end; search for the next boundary
    kContent,        // search for the boundary that ends a part's content
    kDone,
  };

  // Tells how a search in the bytes of the budget ended.
  enum class Search { kFound, kAbsent, kGoesOn };

  void work(std::size_t& budget_bytes);
  void begin(std::size_t& budget_bytes);
  void after_boundary();
  void skip_padding(std::size_t& budget_bytes);
  void read_headers(std::size_t& budget_bytes);
  void next_part(std::size_t delimiter_at);
  void refuse(std::string why);
  // Ends the scan at the end of the form or at an error. If a whole wanted part has been found, the error is
  // ignored.
  void end_with(std::string_view why);
  // Returns whether the content of this part is the wanted content.
  [[nodiscard]] bool is_wanted(const PartName& part) const;
  // Returns whether the scanner must not skip this part, and then refuses it.
  [[nodiscard]] bool refuse_part(const PartName& part);
  // Keeps the content of the part that ends here, if the rules want it.
  void keep_part(std::size_t end);
  // Searches for the delimiter from at_ on, and moves at_ past the bytes that need no second search. On kFound, at_
  // is the start of the delimiter.
  [[nodiscard]] Search find_delimiter(std::size_t& budget_bytes);

  std::string_view text_;
  std::string delimiter_;  // CR LF, two dashes and the boundary
  const FormRules rules_;
  State state_{State::kFirstBoundary};
  std::size_t at_{0};
  std::size_t content_{0};                             // the start of the present part's content
  bool is_wanted_part_{false};                         // whether the present part has the wanted content
  std::string_view field_;                             // the name of the present part if it is a field, otherwise empty
  boost::container::small_vector<Content, 1> wanted_;  // wanted parts whose end has been found
  std::vector<std::pair<std::string_view, std::string_view>> found_fields_;  // names and contents
  int part_count_{0};
  common::Outcome<Content> result_;
};

// Scans the whole body in one call. Use it only for a body that is known to be short.
[[nodiscard]] common::Outcome<std::span<const std::byte>> find_part(std::span<const std::byte> body,
                                                                    std::string_view boundary, std::string_view name);

}  // namespace yolod::app::http
