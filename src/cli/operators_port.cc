// Asking the operators' port.
#include "operators_port.h"

#include <charconv>

#include <fmt/format.h>

#include "millrace/host.h"

namespace millrace::cli {

namespace {

constexpr uint64_t answer_ns_max = 120'000'000'000;
constexpr size_t answer_size_max = 64 << 20;

// Everything that comes until the other side ends, or the time is over.
class Intake final {
 public:
    Intake(Io& io, int fd) : io_(io), receive_(*this, fd), timer_(*this) {
        io_.submit(receive_);
        io_.submit(timer_);
    }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
    std::string await_resume() { return std::move(text_); }

 private:
    struct Receive final : Op {
        Receive(Intake& intake, int descriptor) : Op(Kind::receive), intake(intake) { fd = descriptor; }
        void done(Outcome outcome) override { intake.on_received(outcome); }
        Intake& intake;
    };
    struct Timer final : Op {
        explicit Timer(Intake& intake) : Op(Kind::sleep), intake(intake) { size = answer_ns_max; }
        void done(Outcome) override { intake.end(); }
        Intake& intake;
    };
    void on_received(Outcome outcome) {
        if (outcome.value > 0) {
            if (text_.size() < answer_size_max) text_ += as_text(outcome.data);
            io_.give_back(outcome.buffer);
        }
        if (outcome.more) return;
        if (outcome.value > 0) return io_.submit(receive_);
        end();
    }
    // Once nothing is under way, the waiter goes on.
    void end() {
        if (receive_.under_way) return io_.cancel(receive_);
        if (timer_.under_way) return io_.cancel(timer_);
        if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
    }

    Io& io_;
    Receive receive_;
    Timer timer_;
    std::string text_;
    std::coroutine_handle<> waiter_;
};

HttpAnswer parse(std::string_view text, const std::string& address) {
    const size_t head = text.find("\r\n\r\n"), space = text.find(' ');
    HttpAnswer answer;
    if (!text.starts_with("HTTP/1.") || head == text.npos || space > head)
        return {.status = 0, .body = address + " gives no HTTP answer"};
    std::from_chars(text.data() + space + 1, text.data() + head, answer.status);
    answer.body = text.substr(head + 4);
    return answer;
}

}  // namespace

Task<HttpAnswer> ask_operators_port(Io& io, std::string address, std::string method, std::string path) {
    const int32_t fd = co_await Once{io, Op::Kind::connect, {.path = address.c_str()}};
    if (fd < 0)
        co_return HttpAnswer{.status = 0,
                             .body = fmt::format("cannot reach {}: {}", address, errno_text(fd))};
    const std::string text = fmt::format("{} {} HTTP/1.0\r\nHost: {}\r\n\r\n", method, path, address);
    const Piece piece{text.data(), text.size()};
    const int32_t sent = co_await Once{io, Op::Kind::send, {.fd = fd, .pieces = &piece, .piece_count = 1}};
    Intake intake{io, fd};
    if (sent < 0) co_await Once{io, Op::Kind::shutdown, {.fd = fd}};
    const std::string received = co_await intake;
    co_await Once{io, Op::Kind::close, {.fd = fd}};
    co_return parse(received, address);
}

}  // namespace millrace::cli
