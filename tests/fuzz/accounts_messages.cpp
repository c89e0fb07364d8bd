// The codec of the messages between the front-end and yolod-accounts must survive any bytes.
#include "app/accounts/protocol/codec.hpp"

#include "app/accounts/protocol/access_table.hpp"
#include "app/accounts/protocol/settings.hpp"
#include "app/accounts/protocol/tokens.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;
using namespace yolod::app::accounts::protocol;

namespace {

void apply(const Message& message) {
  static AccessTable table;
  if (table.size() > 10'000) table = AccessTable();
  const auto version = table.version();
  bool follows = true;
  if (const auto* const begin = std::get_if<SnapshotBegin>(&message)) follows = table.apply(*begin);
  if (const auto* const entries = std::get_if<SnapshotEntries>(&message)) follows = table.apply(*entries);
  if (const auto* const end = std::get_if<SnapshotEnd>(&message)) follows = table.apply(*end);
  if (const auto* const changes = std::get_if<Changes>(&message)) follows = table.apply(*changes);
  fuzz::require(table.version() >= version && (follows || table.version() == version));
}

}  // namespace

YOLOD_FUZZ_TARGET(accounts_messages) {
  const auto bytes = fuzz::as_text(data, size);
  // The codec accepts only bytes that it would write itself.
  if (const auto request = decode_request(bytes)) {
    fuzz::require(encode(*request).view() == bytes && id_of_request(bytes) == request->id);
  }
  if (const auto message = decode_message(bytes)) {
    fuzz::require(encode(*message).view() == bytes);
    apply(*message);
  }
  if (const auto settings = decode_settings(bytes)) fuzz::require(encode(*settings).view() == bytes);
  if (is_api_key(bytes)) fuzz::require(!is_invite(bytes) && bytes.size() == kKeyBytes);
  return 0;
}
