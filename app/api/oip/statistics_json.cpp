#include "app/api/oip/statistics_json.hpp"

namespace yolod::app::api::oip {
namespace {

using observe::ModelStatistics;

void append_duration(http::TextBuffer& out, std::uint64_t count, std::uint64_t ns) {
  out += R"({"count":)";
  out.add_whole(count);
  out += R"(,"ns":)";
  out.add_whole(ns);
  out += '}';
}

void append_duration(http::TextBuffer& out, std::string_view key, const ModelStatistics::Duration& duration) {
  out += key;
  append_duration(out, duration.count, duration.ns);
}

}  // namespace

void append_statistics(http::TextBuffer& out, std::string_view model, std::uint64_t generation,
                       const ModelStatistics& statistics) {
  out += R"({"name":)";
  out.add_json(model);
  out += R"(,"version":")";
  out.add_whole(generation);
  out += R"(","last_inference":)";
  out.add_whole(statistics.last_inference_ms);
  out += R"(,"inference_count":)";
  out.add_whole(statistics.inference_count);
  out += R"(,"execution_count":)";
  out.add_whole(statistics.execution_count);
  out += R"(,"inference_stats":{)";
  append_duration(out, R"("success":)", statistics.success);
  append_duration(out, R"(,"fail":)", statistics.fail);
  append_duration(out, R"(,"queue":)", statistics.queue);
  append_duration(out, R"(,"compute_input":)", statistics.compute_input);
  append_duration(out, R"(,"compute_infer":)", statistics.compute_infer);
  append_duration(out, R"(,"compute_output":)", statistics.compute_output);
  // The server has no cache of answers.
  append_duration(out, R"(,"cache_hit":)", {});
  append_duration(out, R"(,"cache_miss":)", {});
  out += R"(},"response_stats":{},"batch_stats":[)";
  bool first = true;
  for (const auto& [size, batch] : statistics.batches) {
    if (!first) out += ',';
    first = false;
    out += R"({"batch_size":)";
    out.add_whole(size);
    out += R"(,"compute_input":)";
    append_duration(out, batch.count, batch.input_ns);
    out += R"(,"compute_infer":)";
    append_duration(out, batch.count, batch.infer_ns);
    out += R"(,"compute_output":)";
    append_duration(out, batch.count, batch.output_ns);
    out += '}';
  }
  out += R"(],"memory_usage":[]})";
}

}  // namespace yolod::app::api::oip
