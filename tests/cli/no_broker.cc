// Stands in for the broker's start, so that the command line can be run alone: says what it was given.
#include <cstdio>

#include "../../src/cli/serve.h"

namespace millrace::cli {

int run_broker(const ServeOptions& options) {
    const BrokerConfig& config = options.config;
    std::printf("node %d at %s in %s with %d shards, partitions %d, ready-fd %d\n", config.node_id,
                config.listeners[0].address().c_str(), config.data_dir.c_str(), config.shards,
                config.num_partitions, options.ready_fd.value_or(-1));
    for (const std::string& notice : options.notices) std::printf("notice %s\n", notice.c_str());
    return 0;
}

}  // namespace millrace::cli
