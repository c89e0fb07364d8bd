#include "app/http/connection_list.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "common/awake_clock.hpp"

namespace yolod::app::http {
namespace {

// The event loop checks at most this many connections in one turn. Each check may ask the kernel whether the client
// is still connected, which takes a microsecond.
constexpr std::size_t kCheckedAtOnce = 200;

}  // namespace

ConnectionList::ConnectionList(boost::asio::io_context& io, Application& application,
                               const common::ServerConfig& config, std::size_t limit)
    : io_(io), application_(application), config_(config), public_(limit), admin_(kMostAdmins), handshake_turns_(io) {}

void ConnectionList::close_idle() {
  const auto close = [](Place& place) { place.evict(); };
  for (Places* const places : {&public_, &admin_}) {
    for (const auto occupation : {Occupation::kSilent, Occupation::kShakingHands, Occupation::kIdle}) {
      places->for_each(occupation, close);
    }
  }
}

void ConnectionList::close_all() {
  close_idle();
  const auto close = [](Place& place) { place.evict(); };
  for (const Occupation occupation : {Occupation::kLingering, Occupation::kUnfinished, Occupation::kIdleWebSocket,
                                      Occupation::kAwaitingRoom, Occupation::kUnreadAnswer, Occupation::kBusy}) {
    public_.for_each(occupation, close);
    admin_.for_each(occupation, close);
  }
}

void ConnectionList::set_limit(std::size_t limit) {
  public_.set_limit(limit);
  public_.evict_excess(common::AwakeClock::now());
}

void ConnectionList::check_deadlines() {
  public_.evict_excess(common::AwakeClock::now());
  if (std::exchange(checking_, true)) return;
  check_more_deadlines();
}

void ConnectionList::check_more_deadlines() {
  const auto now = common::AwakeClock::now();
  if (!public_.check_some_deadlines(kCheckedAtOnce, now) || !admin_.check_some_deadlines(kCheckedAtOnce, now)) {
    boost::asio::post(io_, [this] { check_more_deadlines(); });
    return;
  }
  checking_ = false;
  relieve_pressure(now);
  scratch_.give_back();
}

void ConnectionList::relieve_pressure(common::Clock::time_point now) {
  const auto shortage = application_.room_shortage(now);
  if (shortage.first_bytes != 0) evict_uploads(shortage, false, now);
  const auto unchecked = application_.unchecked_shortage(now);
  if (unchecked.first_bytes != 0) evict_uploads(unchecked, true, now);
}

void ConnectionList::evict_uploads(const Application::Shortage& shortage, bool only_unchecked,
                                   common::Clock::time_point now) {
  candidates_.clear();
  uploading_.clear();
  public_.for_each(Occupation::kBusy, [&](Place& place) {
    const auto cost = place.upload_cost(now);
    if (!cost || (only_unchecked && !cost->yields_to_unchecked)) return;
    candidates_.push_back({cost->cost, cost->held_bytes, uploading_.size()});
    uploading_.push_back(&place);
  });
  std::size_t victims = choose_victims(candidates_, shortage.first_bytes);
  if (victims == 0) victims = choose_victims(candidates_, shortage.least_bytes);
  for (std::size_t i = 0; i < victims; ++i) uploading_[candidates_[i].index]->evict_upload(now);
}

}  // namespace yolod::app::http
