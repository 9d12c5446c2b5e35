// Cutting requests out of bytes that come in any pieces, and the memory that this takes.
#include "frames.h"

#include <map>

#include <doctest/doctest.h>

namespace millrace {
namespace {

// Lends buffers and counts those that are out.
class BufferIo final : public Io {
 public:
    void submit(Op&) override { FAIL("no I/O here"); }
    void cancel(Op&) override {}
    void give_back(ReceiveBuffer buffer) override {
        REQUIRE(memory_.contains(buffer.value));
        memory_.erase(buffer.value);
    }
    void post(ShardId, Letter&) override {}
    uint64_t now_ns() const override { return 0; }
    int64_t wall_ms() const override { return 0; }
    uint64_t random() override { return 0; }
    ShardId shard() const override { return ShardId{0}; }
    uint16_t shard_count() const override { return 1; }
    std::string local_address(int) const override { return {}; }
    std::string peer_address(int) const override { return {}; }
    Logger& log() override { std::abort(); }

    void feed(FrameCutter& cutter, std::vector<uint8_t> bytes) {
        auto& kept = memory_[++last_] = std::move(bytes);
        cutter.add(ReceiveBuffer{last_}, kept);
    }
    size_t out() const { return memory_.size(); }

 private:
    uint16_t last_ = 0;
    std::map<uint16_t, std::vector<uint8_t>> memory_;
};

constexpr InputMemory::Limits usual{.request_bytes_max = 1 << 20, .owned_bytes_max = 4 << 20, .views_max = 8};

std::vector<uint8_t> framed(size_t size, uint8_t fill) {
    std::vector<uint8_t> bytes(4 + size, fill);
    store_big(bytes.data(), static_cast<uint32_t>(size));
    return bytes;
}

void append(std::vector<uint8_t>& to, const std::vector<uint8_t>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

TEST_CASE("large requests in one buffer are views of it, which hold it until the last is released") {
    BufferIo io;
    InputMemory memory{io, usual};
    FrameCutter cutter{memory};
    auto bytes = framed(2000, 1);
    append(bytes, framed(3000, 2));
    io.feed(cutter, bytes);
    Frame one, two, none;
    REQUIRE(cutter.next(one));
    REQUIRE(cutter.next(two));
    CHECK(one.bytes.size() == 2000);
    CHECK(two.bytes.data() == one.bytes.data() + 2004);
    CHECK_FALSE(cutter.next(none));
    CHECK(io.out() == 1);
    cutter.release(one);
    CHECK(io.out() == 1);
    cutter.release(two);
    CHECK(io.out() == 0);
    CHECK(memory.owned_bytes() == 0);
}

TEST_CASE("small requests are copied, so that their buffer goes back at once") {
    BufferIo io;
    InputMemory memory{io, usual};
    FrameCutter cutter{memory};
    io.feed(cutter, framed(100, 7));
    Frame frame, none;
    REQUIRE(cutter.next(frame));
    CHECK_FALSE(cutter.next(none));
    CHECK(io.out() == 0);
    CHECK(frame.bytes.size() == 100);
    CHECK(frame.bytes[99] == 7);
}

TEST_CASE("above the limit of views large requests are copied too") {
    BufferIo io;
    InputMemory memory{io, {.request_bytes_max = 1 << 20, .owned_bytes_max = 4 << 20, .views_max = 1}};
    FrameCutter cutter{memory}, other{memory};
    io.feed(cutter, framed(2000, 1));
    Frame one, two, none;
    REQUIRE(cutter.next(one));
    CHECK_FALSE(cutter.next(none));
    CHECK(io.out() == 1);
    io.feed(other, framed(2000, 2));
    REQUIRE(other.next(two));
    CHECK_FALSE(other.next(none));
    CHECK(io.out() == 1);
    CHECK(memory.owned_bytes() == 2000);
    cutter.release(one), other.release(two);
    CHECK(memory.owned_bytes() == 0);
}

TEST_CASE("requests are the same however the bytes are cut") {
    for (size_t piece = 1; piece < 300; piece += piece < 20 ? 1 : 23) {
        CAPTURE(piece);
        BufferIo io;
        InputMemory memory{io, usual};
        std::vector<uint8_t> stream;
        for (uint8_t i = 1; i <= 20; i++) append(stream, framed(i * i * 3, i));
        FrameCutter cutter{memory};
        uint8_t expected = 1;
        for (size_t at = 0; at < stream.size(); at += piece) {
            const size_t end = std::min(stream.size(), at + piece);
            io.feed(cutter, {stream.begin() + static_cast<ptrdiff_t>(at),
                             stream.begin() + static_cast<ptrdiff_t>(end)});
            while (true) {
                Frame frame;
                if (!cutter.next(frame)) break;
                REQUIRE(frame.bytes.size() == size_t{expected} * expected * 3);
                CHECK(frame.bytes.front() == expected);
                CHECK(frame.bytes.back() == expected);
                cutter.release(frame);
                expected++;
            }
        }
        CHECK(expected == 21);
        CHECK(io.out() == 0);
        CHECK(memory.owned_bytes() == 0);
    }
}

TEST_CASE("a request in pieces takes at most twice what has arrived") {
    BufferIo io;
    InputMemory memory{io, usual};
    FrameCutter cutter{memory};
    const auto bytes = framed(1 << 20, 5);
    Frame frame;
    for (size_t at = 0; at < bytes.size(); at += 10'000) {
        const size_t end = std::min(bytes.size(), at + 10'000);
        io.feed(cutter,
                {bytes.begin() + static_cast<ptrdiff_t>(at), bytes.begin() + static_cast<ptrdiff_t>(end)});
        const bool is_whole = cutter.next(frame);
        Frame none;
        CHECK(is_whole == (end == bytes.size()));
        if (is_whole) CHECK_FALSE(cutter.next(none));
        CHECK(memory.owned_bytes() <= 2 * end);
        CHECK(io.out() == 0);
    }
    CHECK(memory.owned_bytes() == (bytes.size() + 1023) / 1024 * 1024);
    cutter.release(frame);
    CHECK(memory.owned_bytes() == 0);
}

TEST_CASE("while requests wait no receive buffer is held, and nothing is lost") {
    BufferIo io;
    InputMemory memory{io, usual};
    FrameCutter cutter{memory};
    auto bytes = framed(1000, 1);
    append(bytes, framed(1000, 2));
    append(bytes, framed(1000, 3));
    bytes.resize(bytes.size() - 300);
    io.feed(cutter, bytes);
    Frame one;
    REQUIRE(cutter.next(one));
    cutter.park(&one);
    CHECK(io.out() == 0);
    CHECK(one.bytes.front() == 1);
    CHECK(cutter.has_bytes());
    io.feed(cutter, std::vector<uint8_t>(300, 3));
    CHECK(io.out() == 0);
    Frame two, three, none;
    REQUIRE(cutter.next(two));
    REQUIRE(cutter.next(three));
    CHECK(two.bytes.back() == 2);
    CHECK(three.bytes.size() == 1000);
    CHECK(three.bytes.back() == 3);
    CHECK_FALSE(cutter.next(none));
    CHECK_FALSE(cutter.has_bytes());
    cutter.release(one), cutter.release(two), cutter.release(three);
    CHECK(memory.owned_bytes() == 0);
}

TEST_CASE("what cannot be a request says why") {
    const auto trouble = [](std::vector<uint8_t> bytes, size_t piece) {
        BufferIo io;
        InputMemory memory{io, usual};
        FrameCutter cutter{memory};
        Frame frame;
        for (size_t at = 0; at < bytes.size() && cutter.trouble().empty(); at += piece) {
            const size_t end = std::min(bytes.size(), at + piece);
            io.feed(cutter, {bytes.begin() + static_cast<ptrdiff_t>(at),
                             bytes.begin() + static_cast<ptrdiff_t>(end)});
            CHECK_FALSE(cutter.next(frame));
        }
        CHECK_FALSE(cutter.next(frame));
        return std::string{cutter.trouble()};
    };
    const auto text = [](std::string_view words) { return std::vector<uint8_t>(words.begin(), words.end()); };
    for (const size_t piece : {1, 3, 100}) {
        CHECK(trouble({0, 0, 0, 0}, piece) == "request size not positive");
        CHECK(trouble({0xff, 0xff, 0xff, 0xff}, piece) == "request size not positive");
        CHECK(trouble({0x00, 0x10, 0x00, 0x01}, piece) == "request too large");
        CHECK(trouble({0x16, 0x03, 0x01, 0x02, 0x00}, piece) == "TLS handshake on a plaintext port");
        CHECK(trouble(text("GET / HTTP/1.1\r\n"), piece) == "HTTP request on the Kafka port");
        CHECK(trouble(text("POST /x"), piece) == "HTTP request on the Kafka port");
        CHECK(trouble(text("SSH-2.0-x"), piece) == "SSH on the Kafka port");
    }
}

TEST_CASE("later requests are not mistaken for another protocol") {
    BufferIo io;
    InputMemory memory{io, usual};
    FrameCutter cutter{memory};
    auto bytes = framed(10, 1);
    append(bytes, {'G', 'E', 'T', ' '});
    io.feed(cutter, bytes);
    Frame frame;
    REQUIRE(cutter.next(frame));
    Frame none;
    CHECK_FALSE(cutter.next(none));
    CHECK(cutter.trouble() == "request too large");
}

std::vector<uint8_t> first_half(size_t size) {
    auto half = framed(size, 1);
    half.resize(half.size() / 2);
    return half;
}

TEST_CASE("a request in pieces waits while there is no room for the whole of it") {
    BufferIo io;
    InputMemory memory{io, {.request_bytes_max = 1 << 20, .owned_bytes_max = 150'000, .views_max = 8}};
    FrameCutter cutter{memory}, other{memory};
    uint32_t calls = 0;
    memory.on_room([&calls] { calls++; });
    Frame frame, second;
    io.feed(cutter, first_half(100'000));
    CHECK_FALSE(cutter.next(frame));
    CHECK(cutter.is_inside());
    io.feed(other, first_half(100'000));
    CHECK_FALSE(other.next(second));
    CHECK(other.waits());
    other.park(nullptr);
    CHECK(io.out() == 0);
    io.feed(cutter, std::vector<uint8_t>(50'002, 1));
    REQUIRE(cutter.next(frame));  // What was begun ends, whoever waits.
    CHECK_FALSE(other.let_in());
    CHECK(calls == 0);
    cutter.release(frame);
    CHECK(calls == 1);
    CHECK(other.let_in());
    io.feed(other, std::vector<uint8_t>(50'002, 1));
    REQUIRE(other.next(second));
    CHECK(second.bytes.size() == 100'000);
    other.release(second);
    cutter.clear(), other.clear();
    CHECK(memory.owned_bytes() == 0);
    CHECK(memory.reserved_bytes() == 0);
    CHECK(memory.waiting() == 0);
    CHECK(io.out() == 0);
}

TEST_CASE("a small request is let in when it is its connection's only one, a second one waits") {
    BufferIo io;
    InputMemory memory{io, {.request_bytes_max = 1 << 20, .owned_bytes_max = 5'000, .views_max = 8}};
    FrameCutter cutter{memory};
    Frame frame, none;
    io.feed(cutter, first_half(10'000));
    CHECK_FALSE(cutter.next(frame));
    io.feed(cutter, std::vector<uint8_t>(5'002, 1));
    REQUIRE(cutter.next(frame));
    io.feed(cutter, first_half(4'000));
    CHECK_FALSE(cutter.next(none));
    CHECK(cutter.waits());
    cutter.release(frame);
    CHECK_FALSE(cutter.next(none));
    CHECK(cutter.is_inside());
    CHECK_FALSE(cutter.waits());
    cutter.clear();
    CHECK(memory.reserved_bytes() == 0);
    CHECK(io.out() == 0);
}

TEST_CASE("a request larger than all memory for requests is refused") {
    BufferIo io;
    InputMemory memory{io, {.request_bytes_max = 1 << 20, .owned_bytes_max = 150'000, .views_max = 8}};
    FrameCutter cutter{memory};
    Frame frame;
    io.feed(cutter, first_half(200'000));
    CHECK_FALSE(cutter.next(frame));
    CHECK(cutter.trouble() == "request larger than the memory for requests");
    cutter.clear();
    CHECK(io.out() == 0);
}

}  // namespace
}  // namespace millrace
