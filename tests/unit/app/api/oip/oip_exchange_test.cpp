#include "app/api/oip/oip_exchange.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "app/api/oip/model_json.hpp"
#include "app/api/oip/server_json.hpp"
#include "tests/unit/app/api/exchange_driver.hpp"
#include "tests/unit/app/api/model_bench.hpp"

namespace yolod::app::api::oip {
namespace {

using common::ErrorCode;

// Answers requests about a model "echo", whose generation is 3, without a server.
class OipBench : public api::ModelBench {
 public:
  using Captures = std::initializer_list<std::string_view>;

  explicit OipBench(common::ModelConfig settings = api::echo_config(), common::ModelDescription description = {})
      : api::ModelBench(std::move(settings), std::move(description)) {
    model->generation = 3;
  }

  // Each returns the status, a blank and the body.
  std::string ask(std::unique_ptr<http::Exchange> exchange, Captures captures = {}) {
    api::ExchangeDriver driver(io, std::move(exchange));
    driver.finish(driver.begin("GET /v2?test_1=1&test_2=2 HTTP/1.1\r\nHost: a\r\n", captures));
    return std::to_string(driver.status()) + " " + driver.body();
  }
  std::string fixed(FixedExchange<OipErrors>::Write write) {
    return ask(std::make_unique<FixedExchange<OipErrors>>(metrics, write));
  }
  std::string all(AllModelsExchange::Write write) {
    return ask(std::make_unique<AllModelsExchange>(metrics, read, write));
  }
  std::string one(OneModelExchange::Write write, Captures captures, OneModelExchange::Unknown unknown = unknown_model) {
    return ask(std::make_unique<OneModelExchange>(metrics, *this, write, unknown), captures);
  }

  serving::ServerStatus status;
  ReadStatus read = [this] { return status; };
};

serving::ModelStatus model_status(std::string name, std::uint64_t generation, bool ready) {
  serving::ModelStatus status;
  status.name = std::move(name);
  status.generation = generation;
  status.ready = ready;
  return status;
}

TEST_CASE("OipExchange: the server describes itself, and a query changes nothing", "[app][unit]") {
  OipBench bench;
  CHECK(bench.fixed(write_live) == R"(200 {"live":true})");
  CHECK(bench.fixed(write_server).starts_with(R"(200 {"name":"yolod","version":")"));
}

TEST_CASE("OipExchange: the server is ready if all models are ready and it does not stop", "[app][unit]") {
  OipBench bench;
  bench.status.models = {model_status("a", 1, true), model_status("b", 2, true)};
  CHECK(bench.all(write_ready) == R"(200 {"ready":true,"live":true})");
  CHECK(bench.all(write_models) == R"(200 {"models":["a","b"]})");
  SECTION("a model is not ready") { bench.status.models[1].ready = false; }
  SECTION("the server stops") { bench.status.draining = true; }
  CHECK(bench.all(write_ready) == R"(503 {"ready":false,"live":true})");
}

TEST_CASE("OipExchange: a model's metadata and configuration name its tensors", "[app][unit]") {
  OipBench bench;
  const std::string metadata =
      R"(200 {"name":"echo","versions":["3"],"platform":"identity",)"
      R"("inputs":[{"name":"image","datatype":"BYTES","shape":[-1,1]}],)"
      R"("outputs":[{"name":"bytes","datatype":"UINT64","shape":[-1,1]},)"
      R"({"name":"crc32","datatype":"UINT32","shape":[-1,1]},{"name":"worker_pid","datatype":"UINT32","shape":[-1,1]}]})";
  CHECK(bench.one(write_metadata, {"echo"}) == metadata);
  CHECK(bench.one(write_metadata, {"echo", "3"}) == metadata);
  CHECK(bench.one(write_config, {"echo"}) ==
        R"(200 {"name":"echo","platform":"identity","backend":"","max_batch_size":64,)"
        R"("input":[{"name":"image","data_type":"TYPE_STRING","format":"FORMAT_NONE","dims":[1]}],)"
        R"("output":[{"name":"bytes","data_type":"TYPE_UINT64","dims":[1]},)"
        R"({"name":"crc32","data_type":"TYPE_UINT32","dims":[1]},)"
        R"({"name":"worker_pid","data_type":"TYPE_UINT32","dims":[1]}],"parameters":{}})");
}

TEST_CASE("OipExchange: a detector, a classifier and a model of pictures have the usual tensors", "[app][unit]") {
  auto config = api::echo_config();
  config.source = common::DarknetSource{};
  config.task = common::Task::kDetect;
  OipBench detector(config);
  CHECK(
      detector.one(write_metadata, {"echo"})
          .ends_with(
              R"("platform":"darknet","inputs":[{"name":"image","datatype":"BYTES","shape":[-1,1]}],"outputs":[)"
              R"({"name":"num_dets","datatype":"INT32","shape":[-1,1]},{"name":"det_boxes","datatype":"FP32","shape":[-1,-1,4]},)"
              R"({"name":"det_scores","datatype":"FP32","shape":[-1,-1]},{"name":"det_classes","datatype":"INT32","shape":[-1,-1]},)"
              R"({"name":"labels","datatype":"BYTES","shape":[-1,-1]}]})"));
  config.task = common::Task::kClassify;
  OipBench classifier(config);
  CHECK(
      classifier.one(write_metadata, {"echo"})
          .ends_with(
              R"("outputs":[{"name":"class_ids","datatype":"INT32","shape":[-1,-1]},)"
              R"({"name":"probabilities","datatype":"FP32","shape":[-1,-1]},{"name":"labels","datatype":"BYTES","shape":[-1,-1]}]})"));
  config.task = common::Task::kImage;
  config.source = common::TorchScriptSource{};
  OipBench pictures(config);
  CHECK(pictures.one(write_metadata, {"echo"})
            .ends_with(R"("outputs":[{"name":"image","datatype":"BYTES","shape":[-1,1]}]})"));
}

TEST_CASE("OipExchange: a model on tensors has the names of forward() and no batch dimension", "[app][unit]") {
  auto config = api::echo_config();
  config.source = common::TorchScriptSource{};
  config.task = common::Task::kTensor;
  common::ModelDescription description;
  description.tensor_inputs = {"x", "pair.0"};
  OipBench bench(config, description);
  CHECK(bench.one(write_metadata, {"echo"}) ==
        R"(200 {"name":"echo","versions":["3"],"platform":"pytorch_libtorch",)"
        R"("inputs":[{"name":"x","datatype":"FP32","shape":[-1]},{"name":"pair.0","datatype":"FP32","shape":[-1]}],)"
        R"("outputs":[{"name":"arr_0","datatype":"FP32","shape":[-1]}]})");
  CHECK(bench.one(write_config, {"echo"}).find(R"("max_batch_size":0,)") != std::string::npos);
}

TEST_CASE("OipExchange: declared tensors have their types and shapes", "[app][unit]") {
  auto config = api::echo_config();
  config.source = common::TorchScriptSource{};
  config.task = common::Task::kTensor;
  config.inputs = {{"x", common::oip::DataType::kInt64, {-1, 3}}};
  config.outputs = {{"sum", common::oip::DataType::kFp64, {}}};
  common::ModelDescription description;
  description.tensor_inputs = {"x"};
  OipBench bench(config, description);
  CHECK(bench.one(write_metadata, {"echo"})
            .ends_with(R"("inputs":[{"name":"x","datatype":"INT64","shape":[-1,3]}],)"
                       R"("outputs":[{"name":"sum","datatype":"FP64","shape":[]}]})"));
}

TEST_CASE("OipExchange: with batch.max_rows the configuration has dims without the batch", "[app][unit]") {
  auto config = api::echo_config();
  config.source = common::TorchScriptSource{};
  config.task = common::Task::kTensor;
  config.inputs = {{"x", common::oip::DataType::kFp32, {-1, 3, 4}}};
  config.outputs = {{"y", common::oip::DataType::kFp32, {-1}}};
  config.batch.max_rows = 32;
  common::ModelDescription description;
  description.tensor_inputs = {"x"};
  OipBench bench(config, description);
  CHECK(bench.one(write_metadata, {"echo"})
            .ends_with(R"("inputs":[{"name":"x","datatype":"FP32","shape":[-1,3,4]}],)"
                       R"("outputs":[{"name":"y","datatype":"FP32","shape":[-1]}]})"));
  CHECK(bench.one(write_config, {"echo"})
            .ends_with(R"("max_batch_size":32,)"
                       R"("input":[{"name":"x","data_type":"TYPE_FP32","format":"FORMAT_NONE","dims":[3,4]}],)"
                       R"("output":[{"name":"y","data_type":"TYPE_FP32","dims":[]}],"parameters":{}})"));
}

TEST_CASE("OipExchange: a detector with detect.raw has a second view, with Ultralytics' metadata", "[app][unit]") {
  auto config = api::echo_config();
  config.source = common::DarknetSource{};
  common::ModelDescription description;
  description.labels = {"cat", "it's"};
  description.input_channels = 3;
  description.input_height = 416;
  description.input_width = 608;
  description.raw_output = {6, 0};
  OipBench without(config, description);
  CHECK(without.one(write_config, {"echo:raw"}) ==
        R"(404 {"error":"Request for unknown model: 'echo:raw' is not found"})");
  config.detect.raw = true;
  OipBench bench(config, description);
  CHECK(
      bench.one(write_config, {"echo:raw"}) ==
      R"(200 {"name":"echo:raw","platform":"darknet","backend":"","max_batch_size":64,)"
      R"("input":[{"name":"images","data_type":"TYPE_FP32","format":"FORMAT_NCHW","dims":[3,416,608]}],)"
      R"("output":[{"name":"output0","data_type":"TYPE_FP32","dims":[6,-1]}],"parameters":{"metadata":{"string_value":)"
      R"("{'stride': 32, 'task': 'detect', 'batch': 1, 'imgsz': [416, 608], 'names': {0: 'cat', 1: 'it\\'s'}}"}}})");
  CHECK(bench.one(write_metadata, {"echo:raw", "3"}) ==
        R"(200 {"name":"echo:raw","versions":["3"],"platform":"darknet",)"
        R"("inputs":[{"name":"images","datatype":"FP32","shape":[-1,3,416,608]}],)"
        R"("outputs":[{"name":"output0","datatype":"FP32","shape":[-1,6,-1]}]})");
  CHECK(bench.one(write_model_ready, {"echo:raw"}) == R"(200 {"name":"echo:raw","ready":true})");
  CHECK(bench.one(write_metadata, {":raw"}).starts_with("404 "));
}

TEST_CASE("OipExchange: a classifier with classify.raw has logits and a second view", "[app][unit]") {
  auto config = api::echo_config();
  config.source = common::TorchScriptSource{};
  config.task = common::Task::kClassify;
  config.classify.raw = true;
  common::ModelDescription description;
  description.labels = {"cat", "dog"};
  description.input_channels = 3;
  description.input_height = description.input_width = 32;
  OipBench bench(config, description);
  CHECK(bench.one(write_metadata, {"echo"}).ends_with(R"({"name":"logits","datatype":"FP32","shape":[-1,2]}]})"));
  CHECK(bench.one(write_metadata, {"echo:raw"})
            .ends_with(R"("inputs":[{"name":"images","datatype":"FP32","shape":[-1,3,32,32]}],)"
                       R"("outputs":[{"name":"output0","datatype":"FP32","shape":[-1,2]}]})"));
  CHECK(bench.one(write_config, {"echo:raw"}).find("{'stride': 1, 'task': 'classify'") != std::string::npos);
}

TEST_CASE("OipExchange: an unloaded model is refused as Triton does", "[app][unit]") {
  OipBench bench;
  bench.is_there = false;
  bench.was_unloaded = true;
  CHECK(bench.one(write_metadata, {"echo"}) ==
        R"(404 {"error":"Request for unknown model: 'echo' has no available versions"})");
  CHECK(bench.one(write_config, {"echo", "1"}) ==
        R"(503 {"error":"Request for unknown model: 'echo' version 1 is not at ready state"})");
  CHECK(bench.one(write_metadata, {"other"}).starts_with("404 "));
}

TEST_CASE("OipExchange: an unknown model or version is refused with Triton's texts", "[app][unit]") {
  OipBench bench;
  for (const OneModelExchange::Write write : {write_metadata, write_config, write_model_ready}) {
    CHECK(bench.one(write, {"other"}) == R"(404 {"error":"Request for unknown model: 'other' is not found"})");
    CHECK(bench.one(write, {"echo", "2"}) ==
          R"(404 {"error":"Request for unknown model: 'echo' version 2 is not found"})");
    CHECK(bench.one(write, {"echo", "new"}) == R"(404 {"error":"Not Found"})");
    CHECK(bench.one(write, {"a\xFF\n"}) == R"(404 {"error":"Request for unknown model: 'a\\xff\\n' is not found"})");
  }
  CHECK(bench.one(write_statistics, {"other"}, no_statistics) ==
        R"(400 {"error":"requested model 'other' is not available"})");
  CHECK(bench.one(write_statistics, {"echo", "9"}, no_statistics) ==
        R"(400 {"error":"requested model 'echo' version 9 is not available"})");
}

TEST_CASE("OipExchange: a model is ready while a worker serves it", "[app][unit]") {
  OipBench bench;
  CHECK(bench.one(write_model_ready, {"echo"}) == R"(200 {"name":"echo","ready":true})");
  bench.worker.serving = false;
  CHECK(bench.one(write_model_ready, {"echo", "3"}) == R"(503 {"name":"echo","ready":false})");
}

TEST_CASE("OipExchange: statistics count requests, inputs and batches", "[app][unit]") {
  OipBench bench;
  const std::string zeros = R"({"count":0,"ns":0})";
  CHECK(
      bench.one(write_statistics, {"echo"}, no_statistics) ==
      R"(200 {"model_stats":[{"name":"echo","version":"3","last_inference":0,"inference_count":0,"execution_count":0,)"
      R"("inference_stats":{"success":)" +
          zeros + R"(,"fail":)" + zeros + R"(,"queue":)" + zeros + R"(,"compute_input":)" + zeros +
          R"(,"compute_infer":)" + zeros + R"(,"compute_output":)" + zeros + R"(,"cache_hit":)" + zeros +
          R"(,"cache_miss":)" + zeros + R"(},"response_stats":{},"batch_stats":[],"memory_usage":[]}]})");
  bench.model_metrics.batch(2, 2);
  bench.model_metrics.predicted(5, {10, 40, 3}, 1, 2);
  bench.model_metrics.predicted(7, {20, 40, 4}, 1, 2);
  bench.model_metrics.answered(200, std::chrono::microseconds(100));
  bench.model_metrics.answered(400, std::chrono::microseconds(9));
  const auto text = bench.one(write_statistics, {"echo"}, no_statistics);
  const auto has = [&](const std::string& part) { return text.find(part) != std::string::npos; };
  CHECK(has(R"("inference_count":2,"execution_count":1,)"));
  CHECK(has(R"("success":{"count":1,"ns":100000},"fail":{"count":1,"ns":9000},"queue":{"count":2,"ns":12000},)"));
  CHECK(has(R"("compute_input":{"count":2,"ns":30000},"compute_infer":{"count":2,"ns":80000},)"));
  CHECK(has(R"("compute_output":{"count":2,"ns":7000},)"));
  CHECK(has(R"("batch_stats":[{"batch_size":2,"compute_input":{"count":1,"ns":30000},)"
            R"("compute_infer":{"count":1,"ns":40000},"compute_output":{"count":1,"ns":7000}}])"));
  // A pool that comes back under the same name continues to count.
  observe::ModelMetrics again(bench.metrics, "echo");
  CHECK(again.statistics().execution_count == 1);
  bench.status.models = {model_status("echo", 4, true), model_status("unseen", 1, false)};
  CHECK(bench.all(write_all_statistics).starts_with(R"(200 {"model_stats":[{"name":"echo","version":"4",)"));
}

TEST_CASE("OipExchange: statistics count the rows of inputs, as Triton does", "[app][unit]") {
  OipBench bench;
  bench.model_metrics.batch(2, 10);
  bench.model_metrics.predicted(5, {10, 40, 3}, 8, 10);
  bench.model_metrics.predicted(7, {20, 40, 4}, 2, 10);
  const auto has = [&](const std::string& part) {
    return bench.one(write_statistics, {"echo"}, no_statistics).find(part) != std::string::npos;
  };
  CHECK(has(R"("inference_count":10,"execution_count":1,)"));
  CHECK(has(R"("queue":{"count":2,"ns":12000},)"));
  CHECK(has(R"("batch_stats":[{"batch_size":10,"compute_input":{"count":1,"ns":30000},)"
            R"("compute_infer":{"count":1,"ns":40000},"compute_output":{"count":1,"ns":7000}}])"));
  // Large batches share entries, so that clients cannot make thousands of them.
  for (std::uint32_t rows = 257; rows < 5000; ++rows) bench.model_metrics.batch(1, rows);
  CHECK(bench.model_metrics.statistics().batches.size() == 6);
  CHECK(bench.model_metrics.statistics().batches.contains(8192));
}

TEST_CASE("OipExchange: a model that is still loading has no metadata yet", "[app][unit]") {
  boost::asio::io_context io;
  OipBench bench;
  schedule::Dispatcher loading(io, bench.config, bench.model_metrics, bench.poll, [] { return std::nullopt; });
  bench.model =
      std::make_shared<serving::ServedModel>(serving::ServedModel{&bench.config, loading, bench.model_metrics, 1});
  CHECK(bench.one(write_metadata, {"echo"}) == R"(503 {"error":"the model 'echo' is still loading"})");
  CHECK(bench.one(write_config, {"echo"}) == R"(503 {"error":"the model 'echo' is still loading"})");
  CHECK(bench.one(write_model_ready, {"echo"}) == R"(503 {"name":"echo","ready":false})");
}

TEST_CASE("OipExchange: every error has the protocol's form, and a fault of the server has no details", "[app][unit]") {
  http::Response response;
  write_error(response, {ErrorCode::kQueueFull, "full"}, 7);
  CHECK(static_cast<int>(response.status) == 503);
  CHECK(response.body.view() == R"({"error":"full"})");
  CHECK(response.fields.view() == "Retry-After: 7\r\n");
  write_error(response, {ErrorCode::kMethodNotAllowed, "x"});
  CHECK(response.body.view() == R"({"error":"Method Not Allowed"})");
  write_error(response, {ErrorCode::kInternal, "/secret"});
  CHECK(static_cast<int>(response.status) == 500);
  CHECK(response.body.view().find("secret") == std::string_view::npos);
  write_error(response, {ErrorCode::kBodyTooLarge, "long"});
  CHECK(static_cast<int>(response.status) == 400);
  write_error(response, {ErrorCode::kDeadlineExceeded, "late"});
  CHECK(static_cast<int>(response.status) == 504);
}

}  // namespace
}  // namespace yolod::app::api::oip
