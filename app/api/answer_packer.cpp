#include "app/api/answer_packer.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace yolod::app::api {
namespace {

constexpr int kGzipFormat = 15 + 16;
constexpr int kZlibFormat = 15;
constexpr int kMemory = 8;  // zlib's default
// A piece takes about 0.3 ms with zlib's fastest level.
constexpr std::size_t kPieceBytes = 16 * 1024;

}  // namespace

AnswerPacker::AnswerPacker(ContentCoding coding) : coding_(coding) {
  const int format = coding == ContentCoding::kGzip ? kGzipFormat : kZlibFormat;
  usable_ = deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, format, kMemory, Z_DEFAULT_STRATEGY) == Z_OK;
}

AnswerPacker::~AnswerPacker() {
  if (usable_) deflateEnd(&stream_);
}

bool AnswerPacker::pack_some(http::Response& response) {
  if (!usable_) return true;
  const std::string_view body = response.body.view();
  const std::string_view piece = body.substr(at_, kPieceBytes);
  at_ += piece.size();
  stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(piece.data()));  // zlib does not write to it
  stream_.avail_in = static_cast<uInt>(piece.size());
  const bool is_last = at_ == body.size();
  std::array<char, kPieceBytes> out;  // NOLINT(*-member-init): deflate() fills it
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    (void)deflate(&stream_, is_last ? Z_FINISH : Z_NO_FLUSH);
    packed_ += std::string_view(out.data(), out.size() - stream_.avail_out);
  } while (stream_.avail_out == 0);
  if (packed_.size() >= body.size()) return true;
  if (!is_last) return false;
  response.body = std::move(packed_);
  http::add_field(response, "Content-Encoding", to_string(coding_));
  return true;
}

}  // namespace yolod::app::api
