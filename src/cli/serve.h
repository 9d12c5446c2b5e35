// What `millrace serve` hands to the broker's start.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "millrace/config.h"

namespace millrace::cli {

struct ServeOptions {
    BrokerConfig config;
    std::vector<std::string> notices;  // To be logged once.
    std::optional<int> ready_fd;       // Gets one line when the broker is ready.
};

// Runs a node until it is told to stop; the exit code of the process.
int run_broker(const ServeOptions& options);

}  // namespace millrace::cli
