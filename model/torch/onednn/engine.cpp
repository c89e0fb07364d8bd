#include "model/torch/onednn/engine.hpp"

// OpenMP's own function. (The header belongs to the compiler, which may have another OpenMP than the libraries.)
extern "C" void omp_set_num_threads(int threads);

namespace yolod::model::onednn {

namespace {

int also_for = 0;
std::mutex scratchpad_mutex;

}  // namespace

void prepare_also_for(int threads) { also_for = threads; }
int other_threads() { return also_for; }

// at::get_num_threads first gives a thread that has not computed yet its number.
ThreadCount::ThreadCount(int threads) : before_(at::get_num_threads()) { omp_set_num_threads(threads); }
ThreadCount::~ThreadCount() { omp_set_num_threads(before_); }

dnnl::engine& engine() {
  static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

dnnl::stream& stream() {
  thread_local dnnl::stream own(engine());
  return own;
}

dnnl::memory::data_type data_type(at::ScalarType type) {
  if (type == at::kBFloat16) return dnnl::memory::data_type::bf16;
  TORCH_CHECK(type == at::kFloat, "a tensor of ", type, " where float or bfloat16 is needed");
  return dnnl::memory::data_type::f32;
}

dnnl::memory::desc channels_last(const std::array<std::int64_t, 4>& shape, dnnl::memory::data_type type) {
  return {dnnl::memory::dims(shape.begin(), shape.end()), type, dnnl::memory::format_tag::nhwc};
}

at::Tensor empty_channels_last(const std::array<std::int64_t, 4>& shape, at::ScalarType type) {
  return at::empty(shape, at::TensorOptions().dtype(type), at::MemoryFormat::ChannelsLast);
}

Scratchpad::Scratchpad(std::size_t bytes) : held_(scratchpad_mutex) {
  static at::Tensor room;
  if (!room.defined() || static_cast<std::size_t>(room.numel()) < bytes) {
    room = at::Tensor();
    room = at::empty({static_cast<std::int64_t>(bytes)}, at::TensorOptions().dtype(at::kByte));
  }
  data_ = static_cast<std::byte*>(room.data_ptr());
}

}  // namespace yolod::model::onednn
