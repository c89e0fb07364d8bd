#include "app/serving/status_json.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>

#include "common/system/resident_memory.hpp"
#include "common/version.hpp"

namespace yolod::app {
namespace {

namespace json = boost::json;

// Null until the process has told it.
json::value sandbox_json(bool told, const common::SandboxState& sandbox) {
  if (!told) return nullptr;
  json::object object{
      {"mode", common::to_string(sandbox.mode)}, {"landlock_abi", sandbox.landlock_abi}, {"seccomp", sandbox.seccomp}};
  if (!sandbox.missing.empty()) object["missing"] = sandbox.missing;
  return object;
}

json::object worker_json(const WorkerStatus& worker) {
  return {{"pid", worker.pid},
          {"state", worker.state},
          {"generation", worker.generation},
          {"restarts", worker.restarts},
          {"device", worker.device},
          {"precision", worker.precision},
          {"requests", worker.requests},
          {"rss_bytes", common::resident_bytes(worker.pid)},
          {"sandbox", sandbox_json(!worker.device.empty(), worker.sandbox)}};
}

// A model's own state: whether it serves, and if not, why not yet.
std::string_view model_state(const ModelStatus& model, bool draining) {
  if (draining) return "draining";
  if (model.ready) return "ready";
  const bool loading = (model.loader && model.loader->pid != 0) ||
                       std::any_of(model.workers.begin(), model.workers.end(),
                                   [](const WorkerStatus& worker) { return worker.pid != 0; });
  return loading ? "loading" : "unavailable";
}

json::object model_json(const ModelStatus& model, bool draining) {
  json::array workers;
  for (const WorkerStatus& worker : model.workers) workers.push_back(worker_json(worker));
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
                        {"rss_bytes", common::resident_bytes(model.loader->pid)},
                        {"sandbox", sandbox_json(model.loader->ready, model.loader->sandbox)}};
  }
  return object;
}

}  // namespace

std::string status_json(const ServerStatus& status) {
  json::array models;
  for (const ModelStatus& model : status.models) models.push_back(model_json(model, status.draining));
  json::array listen(status.listen.begin(), status.listen.end());
  return json::serialize(json::object{{"version", common::kVersion},
                                      {"pid", getpid()},
                                      {"uptime", status.uptime.count()},
                                      {"listen", std::move(listen)},
                                      {"admin_listen", status.admin_listen},
                                      {"models", std::move(models)}});
}

std::string readiness_json(const ServerStatus& status, bool& ready) {
  ready = !status.draining;
  json::object models;
  for (const ModelStatus& model : status.models) {
    ready &= model.ready;
    models[model.name] =
        json::object{{"ready", model.ready}, {"workers_ready", model.workers_ready}, {"workers", model.workers_wanted}};
  }
  return json::serialize(json::object{{"ready", ready}, {"models", std::move(models)}});
}

}  // namespace yolod::app
