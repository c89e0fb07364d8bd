#include "app/api/admin/status_json.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <utility>

#include "common/system/resident_memory.hpp"
#include "common/version.hpp"

namespace yolod::app::api::admin {
namespace {

namespace json = boost::json;

// The event loop reads the sizes of this many processes in one turn (about 20 us each), or writes this many workers
// as JSON.
constexpr std::size_t kSizesAtOnce = 16;
constexpr std::size_t kWorkersAtOnce = 64;

// The value is null until the process has reported its sandbox.
json::value sandbox_json(bool told, const common::SandboxState& sandbox) {
  if (!told) return nullptr;
  json::object object{
      {"mode", common::to_string(sandbox.mode)}, {"landlock_abi", sandbox.landlock_abi}, {"seccomp", sandbox.seccomp}};
  if (!sandbox.missing.empty()) object["missing"] = sandbox.missing;
  return object;
}

json::object worker_json(const process::WorkerStatus& worker, std::uint64_t resident_bytes) {
  return {{"pid", worker.pid},
          {"state", worker.state},
          {"generation", worker.generation},
          {"restarts", worker.restarts},
          {"device", worker.device},
          {"precision", worker.precision},
          {"requests", worker.requests},
          {"rss_bytes", resident_bytes},
          {"sandbox", sandbox_json(!worker.device.empty(), worker.sandbox)}};
}

// Returns whether the model serves, and if not, why.
std::string_view model_state(const serving::ModelStatus& model, bool draining) {
  if (draining) return "draining";
  if (model.ready) return "ready";
  const bool loading = (model.loader && model.loader->pid != 0) ||
                       std::any_of(model.workers.begin(), model.workers.end(),
                                   [](const process::WorkerStatus& worker) { return worker.pid != 0; });
  return loading ? "loading" : "unavailable";
}

// `sizes` points to the sizes of the model's workers, followed by its loader's size if it has one. It is moved past
// them.
json::object model_json(const serving::ModelStatus& model, bool draining, const std::uint64_t*& sizes) {
  json::array workers;
  for (const process::WorkerStatus& worker : model.workers) workers.push_back(worker_json(worker, *sizes++));
  json::object object{{"name", model.name},
                      {"state", std::string(model_state(model, draining))},
                      {"generation", model.generation},
                      {"reloading", model.reloading},
                      {"queue", {{"depth", model.queued}, {"max_size", model.queue_limit}}},
                      {"batch", {{"max_size", model.batch_size}, {"max_wait_ms", model.batch_wait.count()}}},
                      {"workers", std::move(workers)}};
  if (model.loader) {
    object["loader"] = {{"pid", model.loader->pid},
                        {"state", model.loader->pid == 0 ? "dead" : (model.loader->ready ? "ready" : "loading")},
                        {"rss_bytes", *sizes++},
                        {"sandbox", sandbox_json(model.loader->ready, model.loader->sandbox)}};
  }
  return object;
}

json::object accounts_json(const serving::AccountsStatus& accounts) {
  return {{"state", accounts.state},
          {"pid", accounts.pid},
          {"restarts", accounts.restarts},
          {"sandbox", sandbox_json(accounts.sandbox.has_value(), accounts.sandbox.value_or(common::SandboxState{}))}};
}

}  // namespace

StatusWriter::StatusWriter(serving::ServerStatus status) : status_(std::move(status)) {
  for (const serving::ModelStatus& model : status_.models) {
    for (const process::WorkerStatus& worker : model.workers) pids_.push_back(worker.pid);
    if (model.loader) pids_.push_back(model.loader->pid);
  }
  resident_bytes_.reserve(pids_.size());
}

void StatusWriter::read_sizes() {
  const std::size_t end = std::min(pids_.size(), resident_bytes_.size() + kSizesAtOnce);
  while (resident_bytes_.size() < end) {
    resident_bytes_.push_back(common::resident_bytes(pids_[resident_bytes_.size()]));
  }
}

bool StatusWriter::write_some(http::TextBuffer& out) {
  if (resident_bytes_.size() < pids_.size()) {
    read_sizes();
    return false;
  }
  if (next_model_ == 0) {
    json::array listen(status_.listen.begin(), status_.listen.end());
    auto server = json::serialize(json::object{{"version", common::kVersion},
                                               {"pid", getpid()},
                                               {"uptime", status_.uptime.count()},
                                               {"listen", std::move(listen)},
                                               {"admin_listen", status_.admin_listen}});
    server.pop_back();
    out += server;
    if (status_.accounts) {
      out += R"(,"accounts":)";
      out += json::serialize(accounts_json(*status_.accounts));
    }
    out += R"(,"models":[)";
  }
  const std::size_t first_size = next_size_;
  while (next_model_ < status_.models.size() && next_size_ - first_size < kWorkersAtOnce) {
    if (next_model_ != 0) out += ',';
    const std::uint64_t* size = resident_bytes_.data() + next_size_;
    out += json::serialize(model_json(status_.models[next_model_], status_.draining, size));
    next_size_ = static_cast<std::size_t>(size - resident_bytes_.data());
    ++next_model_;
  }
  if (next_model_ < status_.models.size()) return false;
  out += "]}";
  return true;
}

std::string readiness_json(const serving::ServerStatus& status, bool& ready) {
  ready = !status.draining;
  json::object models;
  for (const serving::ModelStatus& model : status.models) {
    ready &= model.ready;
    models[model.name] =
        json::object{{"ready", model.ready}, {"workers_ready", model.workers_ready}, {"workers", model.workers_wanted}};
  }
  return json::serialize(json::object{{"ready", ready}, {"models", std::move(models)}});
}

}  // namespace yolod::app::api::admin
