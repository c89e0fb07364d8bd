#include "model/files/named_arrays.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

Error bad_request(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

NamedTensor* find(std::vector<NamedTensor>& tensors, const std::string& name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

}  // namespace

Outcome<std::vector<TensorArray>> read_arrays(std::string_view body, const std::vector<std::string>& inputs,
                                              bool takes_more) {
  std::vector<TensorArray> arrays;
  if (!is_npz(body)) {
    auto array = parse_npy_tensor(body);
    if (!array) return bad_request(array.error().message);
    if (inputs.size() != 1) {
      return bad_request("one array was sent, but the model takes " + std::to_string(inputs.size()) + ": " +
                         listed(inputs) + ", as an .npz file");
    }
    arrays.push_back(std::move(array).value());
    return arrays;
  }
  auto sent = parse_npz(body);
  if (!sent) return bad_request(sent.error().message);
  const auto wrong_count = [&] {
    return bad_request(std::to_string(sent->size()) + (sent->size() == 1 ? " array was" : " arrays were") +
                       " sent, but the model takes " + (takes_more ? "at least " : "") + std::to_string(inputs.size()) +
                       ": " + listed(inputs));
  };
  if (sent->size() < inputs.size() || (sent->size() > inputs.size() && !takes_more)) return wrong_count();
  const bool by_name =
      sent->size() == inputs.size() &&
      std::all_of(inputs.begin(), inputs.end(), [&](const auto& name) { return find(*sent, name) != nullptr; });
  for (std::size_t i = 0; i < sent->size(); ++i) {
    auto* tensor = find(*sent, by_name ? inputs[i] : "arr_" + std::to_string(i));
    if (tensor == nullptr) {
      return bad_request("the arrays must be named " + listed(inputs) + ", or arr_0, arr_1 and so on");
    }
    arrays.push_back(std::move(tensor->array));
  }
  return arrays;
}

common::EncodedFile write_arrays(const std::vector<NamedTensor>& arrays) {
  const bool one = arrays.size() == 1;
  const auto file = one ? to_npy(arrays.front().array) : to_npz(arrays);
  const auto bytes = std::as_bytes(std::span(file));
  return {one ? common::FileType::kNpy : common::FileType::kNpz, {bytes.begin(), bytes.end()}};
}

}  // namespace yolod::model
