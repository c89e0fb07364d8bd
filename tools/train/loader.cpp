#include "tools/train/loader.hpp"

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <exception>
#include <latch>
#include <span>
#include <string>
#include <utility>

#include "common/text.hpp"
#include "tools/train/augment.hpp"

namespace yolod::train {

// A batch in the making. Each thread writes to its own part, and the latch makes these writes visible to take().
struct Loader::Pending {
  explicit Pending(std::size_t images) : missing(static_cast<std::ptrdiff_t>(images)) {}

  Batch batch;
  std::latch missing;
  std::atomic<bool> failed{false};
  std::string why;  // the thread that set `failed` writes it
};

struct Loader::State {
  State(const LoaderSettings& chosen, SampleSource& pictures)
      : settings(chosen), source(pictures), pool(chosen.threads) {}

  void fill(Pending& filled, std::uint64_t step, std::size_t place, Stage stage) {
    try {
      RandomStream random(settings.seed, step, place);
      const auto choose = [&](RandomStream& from) { return source.choose(step, from); };
      const auto values = filled.batch.pixels.size() / settings.batch;
      filled.batch.targets[place] = compose(choose, stage, settings.augment, random,
                                            std::span(filled.batch.pixels).subspan(place * values, values));
    } catch (const std::exception& error) {  // a fault of a file, OpenCV or memory; take() returns it
      if (!filled.failed.exchange(true)) filled.why = common::printable(error.what(), 300);
    }
    filled.missing.count_down();
  }

  LoaderSettings settings;
  SampleSource& source;
  std::deque<std::shared_ptr<Pending>> pending;
  boost::asio::thread_pool pool;  // declared last, so destroyed first: its threads use the other members
};

Loader::Loader(const LoaderSettings& settings, SampleSource& source)
    : state_(std::make_unique<State>(settings, source)) {}

Loader::~Loader() {
  state_->pool.stop();
  state_->pool.join();
}

void Loader::request(std::uint64_t step, Stage stage) {
  const auto& settings = state_->settings;
  auto pending = std::make_shared<Pending>(settings.batch);
  pending->batch.pixels.resize(settings.batch * static_cast<std::size_t>(settings.augment.input.height) *
                               static_cast<std::size_t>(settings.augment.input.width) * 3);
  pending->batch.targets.resize(settings.batch);
  state_->pending.push_back(pending);
  state_->source.begin(step);
  for (std::size_t place = 0; place < settings.batch; ++place) {
    boost::asio::post(state_->pool, [state = state_.get(), pending, step, place, stage] {
      state->fill(*pending, step, place, stage);
    });
  }
}

std::size_t Loader::requested() const { return state_->pending.size(); }

common::Outcome<Batch> Loader::take() {
  const auto pending = std::move(state_->pending.front());
  state_->pending.pop_front();
  pending->missing.wait();
  if (pending->failed)
    return common::Error{common::ErrorCode::kInternal, "a picture cannot be learned from: " + pending->why};
  return std::move(pending->batch);
}

}  // namespace yolod::train
