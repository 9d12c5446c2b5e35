// Waiting for news on several shards. Each home shard is given a sentry that watches the partitions there;
// the first one to come back wakes the fetch, the others are dismissed and come back by themselves.
#include "fetch_wait.h"

namespace millrace {
namespace {

class Parked;

// Posted to its home shard, watches there, and is posted back. Lies in the frame of a coroutine of the
// fetch's shard, which awaits it: it ends when it is back and no dismissal is still on its way to where it
// was.
class Sentry final {
 public:
    Sentry(Shard& here, Shard& home, Parked& parked, const FetchPart& part, int64_t bytes_needed)
        : here_(here), home_(home), parked_(&parked), watch_(std::make_unique<FetchWatch>(bytes_needed)) {
        for (const FetchItem& item : part.items) seen_.push_back({item.slot, item.high_watermark});
        here_.io().post(home_.id(), outward_);
    }
    void dismiss() {
        parked_ = nullptr;
        dismissed_ = true;
        here_.io().post(home_.id(), dismissal_);
    }

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> keeper) { keeper_ = keeper; }
    void await_resume() const {}

 private:
    struct Step : Letter {
        Step(Sentry& sentry, void (Sentry::*step)()) : sentry(sentry), step(step) {}
        void deliver() override { (sentry.*step)(); }
        Sentry& sentry;
        void (Sentry::*step)();
    };

    // On the home shard.
    void arrive() { watch_here().detach(); }
    Task<> watch_here() {
        // What moved since the fetch looked is news at once.
        for (const auto& [slot, high_watermark] : seen_) {
            Hosted* hosted = home_.hosted(slot);
            if (!hosted || hosted->partition->high_watermark() != high_watermark) watch_->end();
            if (hosted) watch_->add(*hosted->partition);
        }
        co_await *watch_;
        watch_.reset();
        is_back_on_dismissal_ = dismissal_arrived_;
        home_.io().post(here_.id(), homeward_);
    }
    void on_dismissal() {
        if (!watch_) return home_.io().post(here_.id(), farewell_);
        dismissal_arrived_ = true;
        watch_->end();
    }

    // On the fetch's shard.
    void return_home();
    void end() { keeper_.resume(); }

    Shard& here_;
    Shard& home_;
    Parked* parked_;          // The fetch's shard's alone; null once the fetch went on.
    bool dismissed_ = false;  // Likewise.
    std::vector<std::pair<Slot, Offset>> seen_;
    std::unique_ptr<FetchWatch> watch_;  // The home shard's alone.
    bool dismissal_arrived_ = false;     // Likewise.
    bool is_back_on_dismissal_ = false;
    Step outward_{*this, &Sentry::arrive};
    Step homeward_{*this, &Sentry::return_home};
    Step dismissal_{*this, &Sentry::on_dismissal};
    Step farewell_{*this, &Sentry::end};
    std::coroutine_handle<> keeper_;
};

// The fetch itself while it waits: in its coroutine's frame.
class Parked final : public Deadlines::Entry {
 public:
    ~Parked() {
        for (Sentry* sentry : out_) sentry->dismiss();
    }
    void send(Shard& here, const FetchPart& part, int64_t bytes_needed) {
        keep_sentry(here, *this, part, bytes_needed).detach();
    }
    void came_back(Sentry& sentry) {
        std::erase(out_, &sentry);
        wake();
    }
    void on_deadline() override { wake(); }

    bool await_ready() const { return woken_; }
    void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
    void await_resume() const {}

 private:
    // Outlives the fetch; it looks at `parked` and `part` before it waits only.
    static Task<> keep_sentry(Shard& here, Parked& parked, const FetchPart& part, int64_t bytes_needed) {
        Sentry sentry{here, here.node().shard(part.home), parked, part, bytes_needed};
        parked.out_.push_back(&sentry);
        co_await sentry;
    }
    void wake() {
        woken_ = true;
        if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
    }

    std::vector<Sentry*> out_;
    bool woken_ = false;
    std::coroutine_handle<> waiter_;
};

void Sentry::return_home() {
    Parked* parked = std::exchange(parked_, nullptr);
    // A dismissal that found it gone comes back as a farewell, which ends it then.
    if (!dismissed_ || is_back_on_dismissal_) {
        if (parked) parked->came_back(*this);
        end();
    }
}

// All partitions live here: no letters.
Task<> await_here(Shard& here, const FetchPart& part, int64_t bytes_needed, uint64_t deadline_ns) {
    FetchWatch watch{bytes_needed};
    for (const FetchItem& item : part.items) {
        Hosted* hosted = here.hosted(item.slot);
        // What moved since the fetch looked is news at once.
        if (!hosted || hosted->partition->high_watermark() != item.high_watermark) co_return;
        watch.add(*hosted->partition);
    }
    watch.set_deadline(here.deadlines(), deadline_ns);
    co_await watch;
}

}  // namespace

Task<> await_news(Shard& here, const std::vector<std::unique_ptr<FetchPart>>& parts, int64_t bytes_needed,
                  uint64_t deadline_ns) {
    if (parts.size() == 1 && parts[0]->home == here.id()) {
        co_await await_here(here, *parts[0], bytes_needed, deadline_ns);
        co_return;
    }
    // When all have together what is needed, one of them has its share.
    const auto count = static_cast<int64_t>(parts.size());
    const int64_t share = std::max<int64_t>(1, (bytes_needed + count - 1) / std::max<int64_t>(count, 1));
    Parked parked;
    for (const auto& part : parts) parked.send(here, *part, share);
    here.deadlines().set(parked, deadline_ns);
    co_await parked;
}

}  // namespace millrace
