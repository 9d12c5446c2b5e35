// What operators see over HTTP: whether the node lives and is ready, its metrics, where its partitions live;
// and what they do: POST /partitions/TOPIC/PARTITION/shard/N moves one.
//
// On shard 0; what other shards know is asked of them for each scrape.
#pragma once
#include <functional>

#include "millrace/metrics.h"
#include "millrace/net.h"
#include "millrace/shard.h"

namespace millrace {

class OperatorRoutes final : public HttpRoutes {
 public:
    OperatorRoutes(Shard& zero, std::function<void(MetricsPage&)> add_process_metrics)
        : zero_(zero), add_process_metrics_(std::move(add_process_metrics)) {}
    Task<HttpResponse> get(std::string_view path) override;
    Task<HttpResponse> post(std::string_view path) override;

 private:
    Task<HttpResponse> readiness();
    Task<HttpResponse> metrics();
    Task<HttpResponse> partitions();

    Shard& zero_;
    std::function<void(MetricsPage&)> add_process_metrics_;
};

}  // namespace millrace
