// Writes the answer of an inference request: the JSON, and the bytes of the outputs that the client wants in binary
// form. The bytes of long tensors are sent without another copy (Response::parts). It first collects the tensors from
// the model's answers and then writes them, both in pieces that each take well below 1 ms.
//
// The handler owns it and uses it on the front-end's only thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "app/api/handler.hpp"
#include "app/api/oip/copy_thread.hpp"
#include "app/api/oip/model_view.hpp"
#include "app/api/oip/shared_tensors.hpp"
#include "app/http/response.hpp"
#include "common/oip/data_type.hpp"
#include "common/oip/infer_request.hpp"

namespace yolod::app::api::oip {

// The class is large, because it writes each kind of prediction, and any piece of work may end in a stage of the
// answer.
class InferAnswer {
 public:
  // Says how the bytes of long tensors are sent. An answer that will be compressed has them in its body.
  enum class LongTensors { kInBody, kAsParts };

  // The arguments outlive this object. With `shared` there must be `regions`.
  InferAnswer(const common::oip::InferRequest& request, const ModelView& view, std::string model,
              std::uint64_t generation, LongTensors long_tensors, SharedOutputs shared = {},
              SharedRegions* regions = nullptr);

  // Writes the next piece, and returns true when the answer is complete. After false, copy() may wait. It may move
  // tensors and files out of `answers`. REQUIRES: the same `answers` and `response` in each call; no answer is an
  // Error.
  [[nodiscard]] bool write_some(api::Answers& answers, http::Response& response);

  // The copy to shared memory that is in progress.
  [[nodiscard]] PieceCopy& copy() { return copy_; }
  [[nodiscard]] const PieceCopy& copy() const { return copy_; }

 private:
  struct Tensor {
    std::string name;
    common::oip::DataType type{common::oip::DataType::kFp32};
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;  // as in the binary form
    // The files of a tensor of pictures follow `bytes`, each after its length, and so do the outputs of several
    // pictures. They are not copied together.
    std::vector<std::vector<std::byte>> files{};
    bool is_binary{false};
    bool is_wanted{true};
    const SharedOutput* shared{nullptr};  // if it is set, the answer has no bytes of the tensor

    [[nodiscard]] std::size_t size_bytes() const;
  };
  enum class Stage { kCollect, kShared, kHead, kTensors, kBytes };

  // ---- the tensors ----
  void begin_tensors(const api::Answers& answers);
  // Returns how many detections or classes the answer has.
  [[nodiscard]] std::size_t width_of(const common::Prediction& prediction) const;
  // Returns whether the prediction has the outputs of the view. A reload may change the model while a request waits.
  [[nodiscard]] bool fits(const schedule::Answer& answer) const;
  // Adds an answer, or a part of it, to the tensors, and takes the work from `budget`. Returns true when the whole
  // answer is added.
  [[nodiscard]] bool add(schedule::Answer& answer, std::size_t& budget);
  [[nodiscard]] bool add(const common::DetectionList& list, const common::ModelDescription& model, std::size_t& budget);
  [[nodiscard]] bool add(const common::ClassificationList& list, const common::ModelDescription& model,
                         std::size_t& budget);
  [[nodiscard]] bool add(const common::IdentityAnswer& answer, const common::ModelDescription& model,
                         std::size_t& budget);
  [[nodiscard]] bool add(common::EncodedFile& file, const common::ModelDescription& model, std::size_t& budget);
  [[nodiscard]] bool add(common::TensorList& list, const common::ModelDescription& model, std::size_t& budget);
  void add_raw(common::TensorList& list, const common::ModelDescription& model, std::size_t& budget);
  void add_classifications(const std::vector<common::Classification>& found, const common::ModelDescription& model);
  // Keeps the tensors that the request names, in its order. Returns the name of a tensor that does not exist.
  [[nodiscard]] std::string choose();

  // Copies more of the bytes that belong to shared memory, and returns true at the end. An Error: they do not fit, or
  // cannot be copied.
  [[nodiscard]] common::Outcome<bool> write_shared();

  // ---- the text ----
  void write_head(http::Response& response);
  // Each returns false if it has written as much as one piece may have.
  [[nodiscard]] bool write_tensors(http::Response& response);
  [[nodiscard]] bool write_data(const Tensor& tensor, http::TextBuffer& out);
  [[nodiscard]] bool write_bytes(http::Response& response);
  // Returns whether bytes of this size are sent from where they are.
  [[nodiscard]] bool is_part(std::size_t bytes) const;
  // Copies at most `left` of the bytes from at_ on and counts them. Returns false if some remain.
  [[nodiscard]] bool copy(const std::vector<std::byte>& bytes, std::size_t& left, http::TextBuffer& out);

  const common::oip::InferRequest& request_;
  const ModelView& view_;
  const std::string model_;
  const std::uint64_t generation_;
  const LongTensors long_tensors_;
  const SharedOutputs shared_;
  SharedRegions* const regions_;
  PieceCopy copy_;
  Stage stage_{Stage::kCollect};
  std::vector<Tensor> tensors_;
  std::uint32_t classification_{0};  // how many classes of each picture the client wants as texts
  std::vector<std::byte> classes_;   // these texts, as a BYTES tensor
  std::size_t widest_{0};            // the most detections or classes of one answer
  std::size_t next_answer_{0};       // the first answer that is not collected
  std::size_t next_item_{0};         // the first detection of that answer that is not collected
  std::size_t next_tensor_{0};
  std::size_t next_part_{0};
  std::uint64_t shared_at_{0};  // the bytes of that tensor that are in shared memory
  std::size_t at_{0};           // the place in the bytes, or in that file, of that tensor
  bool is_open_{false};         // whether the array "data" of that tensor has begun
  bool has_element_{false};     // whether that array has an element
};

}  // namespace yolod::app::api::oip
