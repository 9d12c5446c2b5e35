// Instructions that one exchange with a broker takes, for valgrind to count: tools/count_instructions.
//
// The broker is whole, its Io has nothing behind it, and time is counted in turns: the count is the same at
// each run of the same binary.
#include <cstdio>
#include <string>

#include "tests/hot/still_broker.h"

using namespace millrace;

namespace {

struct Case {
    const char* name;
    size_t batch_size;  // 0: a fetch.
    int together;       // Requests in one exchange.
    int warm, counted;  // Exchanges.
};

constexpr Case cases[] = {
    {"produce_16k", 16 << 10, 1, 1000, 400},  {"produce_16k_by_5", 16 << 10, 5, 200, 80},
    {"produce_1k", 1 << 10, 1, 1000, 1000},   {"produce_1k_by_16", 1 << 10, 16, 100, 100},
    {"produce_one_record", 1, 1, 1000, 1000}, {"fetch_1m_cached", 0, 1, 50, 50},
};

// Valgrind counts while this runs.
extern "C" [[gnu::noinline]] size_t counted_exchanges(StillBroker& broker, Bytes frames, int exchanges) {
    size_t sent = 0;
    for (int i = 0; i < exchanges; i++) sent += broker.exchange(frames);
    return sent;
}

std::vector<uint8_t> times(int count, const std::vector<uint8_t>& frame) {
    std::vector<uint8_t> all;
    for (int i = 0; i < count; i++) all.insert(all.end(), frame.begin(), frame.end());
    return all;
}

void run(const Case& which) {
    StillBroker broker;
    broker.create_topic("t");
    const bool is_fetch = which.batch_size == 0;
    const auto produce =
        StillBroker::produce_frame("t", StillBroker::batch(is_fetch ? 16 << 10 : which.batch_size));
    auto frames = times(which.together, produce);
    if (is_fetch) {
        for (int i = 0; i < 100; i++) broker.exchange(frames);
        broker.let_flush();
        frames = StillBroker::fetch_frame("t", 0, 1 << 20);
    }
    for (int i = 0; i < which.warm; i++) broker.exchange(frames);
    const size_t sent = counted_exchanges(broker, frames, which.counted);
    std::printf("%s %d %zu\n", which.name, which.counted * which.together, sent);
}

}  // namespace

int main(int count, char** arguments) {
    for (const Case& one : cases) {
        if (count < 2)
            std::printf("%s\n", one.name);
        else if (one.name == std::string(arguments[1]))
            return run(one), 0;
    }
    return count < 2 ? 0 : 1;
}
