// The table of all metrics of GET /metrics. Metrics makes its families from these lines and takes the names of labels
// from them. app/reference/metrics_page prints docs/metrics.md from them.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace yolod::app::observe {

enum class MetricType { kCounter, kGauge, kHistogram };

struct MetricInfo {
  std::string_view name;
  MetricType type;
  std::array<std::string_view, 2> labels;  // empty if there is none
  std::string_view unit;
  std::string_view meaning;  // one sentence, in # HELP too
  std::string_view use;      // when to look at it, and what to do then
};

inline constexpr MetricInfo kRequestsTotal{
    "yolod_requests_total",
    MetricType::kCounter,
    {"model", "code"},
    "answers",
    "The server has given this many answers, by model and HTTP status; errors that belong to no model have an empty "
    "model.",
    "Alert when the share of 5xx rises: 503 is more load than the workers can take, 500 a worker that failed, 504 a "
    "request that ran out of time."};
inline constexpr MetricInfo kRequestSeconds{
    "yolod_request_seconds",
    MetricType::kHistogram,
    {"model", "stage"},
    "seconds",
    "Answered predictions took this time, by stage: queue, decode, infer, post, total.",
    "Alert on a high quantile of total. A long queue asks for more workers or larger batches, a long infer for a "
    "smaller "
    "input or a faster device, a long decode for smaller pictures."};
inline constexpr MetricInfo kBatchSize{
    "yolod_batch_size",
    MetricType::kHistogram,
    {"model", ""},
    "requests",
    "A worker was handed this many requests at once.",
    "Look at it before you change batch: batches stay at 1 while workers are idle, and grow under load up to "
    "batch.max_size."};
inline constexpr MetricInfo kQueueDepth{
    "yolod_queue_depth",
    MetricType::kGauge,
    {"model", ""},
    "requests",
    "This many requests wait for a worker.",
    "Scale on it: a queue that stays long means that requests come faster than the workers answer."};
inline constexpr MetricInfo kWorkers{
    "yolod_workers",
    MetricType::kGauge,
    {"model", "state"},
    "processes",
    "This many workers are in each state: starting, loading, ready, busy, draining, dead.",
    "Alert when ready and busy together are fewer than the configured workers for longer than a load takes."};
inline constexpr MetricInfo kWorkerRestartsTotal{
    "yolod_worker_restarts_total",
    MetricType::kCounter,
    {"model", "reason"},
    "deaths",
    "This many workers have died, by reason: a signal's name, exit, bad_model, device_lost, interrupted, "
    "out_of_memory, unseen.",
    "Alert when it grows again and again. SIGSEGV or SIGABRT is a picture or a library that crashes workers, SIGSYS a "
    "call that the sandbox denies, out_of_memory a limit that is too small; the log has a line for each."};
inline constexpr MetricInfo kReplaysTotal{
    "yolod_replays_total",
    MetricType::kCounter,
    {"model", ""},
    "requests",
    "This many requests were queued again because their worker died.",
    "Look at it together with worker_restarts_total: clients of these requests have waited longer, and got an answer."};
inline constexpr MetricInfo kQuarantinedTotal{
    "yolod_quarantined_total",
    MetricType::kCounter,
    {"model", ""},
    "pictures",
    "The server has begun to refuse this many pictures with 422, because workers died of them.",
    "Alert when it grows: a client sends pictures that crash workers. The log has the SHA-256 of each."};
inline constexpr MetricInfo kGeneration{
    "yolod_generation",
    MetricType::kGauge,
    {"model", ""},
    "number",
    "The generation with this number serves: 1 at the start, and a higher one after each reload that succeeded.",
    "Look at it after a reload: if it has not grown, the old model still serves and the log says why."};
inline constexpr MetricInfo kModelLoadSeconds{
    "yolod_model_load_seconds",
    MetricType::kGauge,
    {"model", ""},
    "seconds",
    "The last load took this time.",
    "Look at it when starts or reloads are slow; load_timeout must be well above it."};
inline constexpr MetricInfo kSandbox{
    "yolod_sandbox",
    MetricType::kGauge,
    {"model", "part"},
    "0 or 1",
    "It is 1 if every worker that serves has this part of its sandbox in force: landlock, seccomp.",
    "Alert on 0 where you rely on the sandbox; /status says what is missing."};
inline constexpr MetricInfo kArenaBytes{
    "yolod_arena_bytes",
    MetricType::kGauge,
    {"kind", ""},
    "bytes",
    "The input arena, which holds the bodies of requests in flight, has this size (total), and this much of it is in "
    "use (used).",
    "Look at it when uploads are answered with 408 or 503 while workers are idle: raise memory.input_arena."};
inline constexpr MetricInfo kOpenConnections{"yolod_open_connections",
                                             MetricType::kGauge,
                                             {"", ""},
                                             "connections",
                                             "This many connections of clients are open.",
                                             "Alert when it comes near server.max_connections."};
inline constexpr MetricInfo kEventLoopLongestSeconds{
    "yolod_event_loop_longest_seconds",
    MetricType::kGauge,
    {"", ""},
    "seconds",
    "One handler has held up the front-end's event loop for this long, the longest since the start.",
    "Look at it when all requests are slow at once; more than some milliseconds mean that the front-end lacks a "
    "processor, or a fault of yolod."};
inline constexpr MetricInfo kEventLoopLongTurnsTotal{
    "yolod_event_loop_long_turns_total",
    MetricType::kCounter,
    {"longer_than", ""},
    "handlers",
    "This many handlers have held up the event loop for longer than the label's number of seconds.",
    "Look at it together with yolod_event_loop_longest_seconds: it tells whether that happened once or all the time."};

inline constexpr MetricInfo kTlsHandshakesTotal{
    "yolod_tls_handshakes_total",
    MetricType::kCounter,
    {"result", ""},
    "handshakes",
    "This many TLS handshakes have ended with each result: done, plain_http, no_certificate, failed.",
    "Look at it when clients cannot connect: plain_http is a client that uses http://, no_certificate a client that "
    "client_ca does not know."};
inline constexpr MetricInfo kTlsNotAfterSeconds{
    "yolod_tls_not_after_seconds",
    MetricType::kGauge,
    {"listener", ""},
    "Unix time",
    "The certificate of this listener expires at this time.",
    "Alert two weeks before: yolod_tls_not_after_seconds - time() < 14 * 86400."};
inline constexpr MetricInfo kAuthTotal{
    "yolod_auth_total",
    MetricType::kCounter,
    {"result", ""},
    "requests",
    "This many requests had each result when the server looked at their API key or session: accepted, anonymous (none "
    "was "
    "needed), no_credential, ambiguous, unknown, expired, missing_scope, accounts_away. Probes and the page are not "
    "counted.",
    "Alert when unknown or expired rise: a client has a wrong key, or an attacker tries keys; access.audit_log has the "
    "addresses. accounts_away means that the server cannot check keys."};
inline constexpr MetricInfo kLimitedTotal{
    "yolod_limited_total",
    MetricType::kCounter,
    {"limit", ""},
    "requests",
    "This many requests were refused with 429, by the key of the config that sets the limit.",
    "Look at it when clients get 429: raise that key of access if these clients are welcome. access.audit_log has "
    "their "
    "addresses."};

inline constexpr MetricInfo kStreams{"yolod_streams",
                                     MetricType::kGauge,
                                     {"", ""},
                                     "WebSockets",
                                     "This many WebSockets of /stream and /detect are open.",
                                     "Look at it together with yolod_open_connections, which counts them too."};
inline constexpr MetricInfo kFramesDroppedTotal{
    "yolod_frames_dropped_total",
    MetricType::kCounter,
    {"model", ""},
    "pictures",
    "This many pictures of streams with drop: oldest were replaced by newer ones before a worker had them.",
    "Expected while cameras send more than the model can take; the share of pictures that are answered is "
    "requests_total / (requests_total + frames_dropped_total)."};

// The page lists the metrics in this order.
inline constexpr std::array kMetricTable{kRequestsTotal,
                                         kRequestSeconds,
                                         kQueueDepth,
                                         kBatchSize,
                                         kWorkers,
                                         kWorkerRestartsTotal,
                                         kReplaysTotal,
                                         kQuarantinedTotal,
                                         kGeneration,
                                         kModelLoadSeconds,
                                         kSandbox,
                                         kArenaBytes,
                                         kOpenConnections,
                                         kEventLoopLongestSeconds,
                                         kEventLoopLongTurnsTotal,
                                         kTlsHandshakesTotal,
                                         kTlsNotAfterSeconds,
                                         kAuthTotal,
                                         kLimitedTotal,
                                         kStreams,
                                         kFramesDroppedTotal};

}  // namespace yolod::app::observe
