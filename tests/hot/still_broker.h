// One shard of a broker, whole, on an Io with nothing behind it: frames go in by a connection, replies come
// out of it.
#pragma once
#include <string_view>
#include <vector>

#include "millrace/front.h"
#include "still_io.h"

namespace millrace {

class StillBroker {
 public:
    StillBroker();
    ~StillBroker();

    void create_topic(std::string_view name);
    // Delivers the requests and lets all turns come until nothing is left to do. How many bytes were sent.
    size_t exchange(Bytes frames);
    // Time goes by: what is written comes to be durable.
    void let_flush() { io_.pass(1'000'000'000); }
    // What exchange() got, but its beginning only where it is long.
    const std::vector<uint8_t>& reply() const { return io_.sent(connection_); }
    Front& front() { return *front_; }

    // ---- Requests, with their size bytes.
    static std::vector<uint8_t> produce_frame(std::string_view topic, Bytes batch, int16_t acks = 1);
    static std::vector<uint8_t> fetch_frame(std::string_view topic, int64_t offset, int32_t bytes_max);
    // A batch of about so many bytes, of records of 100; below that of one record.
    static std::vector<uint8_t> batch(size_t size);

 private:
    static BrokerConfig config();

    StillIo io_;
    Node node_;
    std::vector<Front*> fronts_{nullptr};
    std::unique_ptr<Front> front_;
    int connection_ = -1;
};

}  // namespace millrace
