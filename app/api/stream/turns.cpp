#include "app/api/stream/turns.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdint>

namespace yolod::app::api::stream {

std::size_t Turns::most(const std::string& model) const {
  constexpr std::size_t kBatchesPerWorker = 2;
  const auto served = models_.find(model);
  if (served == nullptr) return 1;
  const std::size_t workers = std::max<std::uint32_t>(1, served->config->workers);
  const std::size_t batch = std::max<std::size_t>(1, served->dispatcher.batch_limits().max_size);
  return batch == 1 ? workers : workers * batch * kBatchesPerWorker;
}

void Turns::enter(const std::string& model, TurnTaker& taker) {
  Line& line = lines_[model];
  if (line.waiting.empty() && line.taken < most(model)) {
    ++line.taken;
    taker.take_turn();
    return;
  }
  line.waiting.push_back(taker);
}

// The next turns are taken later, because the caller may be in the middle of the end of a picture.
void Turns::give_back(const std::string& model) {
  Line& line = lines_[model];
  --line.taken;
  if (line.waiting.empty() || line.is_scheduled) return;
  line.is_scheduled = true;
  boost::asio::post(io_, lifeline_.guard([this, model] { serve(model); }));
}

void Turns::serve(const std::string& model) {
  Line& line = lines_[model];
  line.is_scheduled = false;
  const std::size_t most_taken = most(model);
  while (!line.waiting.empty() && line.taken < most_taken) {
    TurnTaker& next = line.waiting.front();
    line.waiting.pop_front();
    ++line.taken;
    next.take_turn();
  }
}

}  // namespace yolod::app::api::stream
