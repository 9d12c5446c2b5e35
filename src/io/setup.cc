// Making the ring: the best flags this kernel takes, the receive pool, what it can do.
#include <cerrno>

#include <unistd.h>

#include "ring.h"
#include "uring_abi.h"

namespace millrace {

namespace {

constexpr unsigned submission_entries = 1024, completion_entries = 8192;
// Kernel threads for what would block (fsync, fallocate, rename ...), per ring.
constexpr unsigned kernel_workers_max = 16;
constexpr unsigned registered_buffers_max = 1024;

constexpr unsigned always = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
constexpr unsigned best_first[] = {
    always | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    always | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    always,
};

}  // namespace

UringIo::UringIo(const Options& options)
    : shard_(options.shard),
      post_(options.post),
      log_(options.sink, std::to_string(options.shard.value)),
      spin_ns_(options.spin_ns),
      pool_(options.receive_buffers),
      outboxes_(options.post.shard_count()) {
    log_.set_level(options.log_level);
}

UringIo::~UringIo() {
    if (!is_open_) return;
    pool_.close(ring_);
    io_uring_queue_exit(&ring_);
}

int UringIo::open() {
    ASSERT(!is_open_);
    if (const int rc = open_best_ring(); rc < 0) return rc;
    is_open_ = true;
    // The identity, whichever version of the library made the ring.
    for (unsigned i = 0; i < submission_entries; i++) ring_.sq.array[i] = i;
    asides_ = std::make_unique_for_overwrite<Aside[]>(submission_entries);
    if (const int rc = pool_.open(ring_); rc < 0) return rc;
    ring_fd_registered_ = io_uring_register_ring_fd(&ring_) == 1;
    unsigned workers[2] = {kernel_workers_max, kernel_workers_max};
    io_uring_register_iowq_max_workers(&ring_, workers);
    probe();
    post_.set_ring_fd(shard_, ring_.ring_fd);
    read_clocks();
    arm_bell();
    return 0;
}

int UringIo::open_best_ring() {
    int rc = -EINVAL;
    for (const unsigned flags : best_first) {
        io_uring_params parameters{};
        parameters.flags = flags;
        parameters.cq_entries = completion_entries;
        rc = io_uring_queue_init_params(submission_entries, &ring_, &parameters);
        if (rc != -EINVAL) break;
    }
    if (rc == 0) ASSERT(ring_.sq.ring_entries == submission_entries);
    return rc;
}

void UringIo::probe() {
    if (auto* known = io_uring_get_probe_ring(&ring_)) {
        has_ftruncate_ = io_uring_opcode_supported(known, uring_abi::op_ftruncate);
        io_uring_free_probe(known);
    }
    has_fixed_buffers_ = io_uring_register_buffers_sparse(&ring_, registered_buffers_max) == 0;
    if (!has_fixed_buffers_) return;
    for (unsigned i = registered_buffers_max; i > 0; i--) free_registered_.push_back(i - 1);
}

void UringIo::register_buffer(IoBuffer& buffer) {
    ASSERT(buffer && !buffer.in_flight());
    ASSERT(buffer.registered_index < 0);
    if (free_registered_.empty()) return;
    const uint32_t index = free_registered_.back();
    const iovec memory{buffer.data(), buffer.size()};
    const __u64 tag = 0;
    const int rc = io_uring_register_buffers_update_tag(&ring_, index, &memory, &tag, 1);
    // -ENOMEM: more than RLIMIT_MEMLOCK allows. The buffer works all the same.
    if (rc != 1 && !std::exchange(told_not_registered_, true))
        log_.info("io", "buffers not registered: with a higher RLIMIT_MEMLOCK writes cost less CPU",
                  {{"registered", statistics_.registered_bytes}, {"outcome", rc}});
    if (rc != 1) return;
    free_registered_.pop_back();
    buffer.registered_index = static_cast<int32_t>(index);
    statistics_.registered_bytes += buffer.size();
}

void UringIo::unregister_buffer(IoBuffer& buffer) {
    ASSERT(!buffer.in_flight());
    if (buffer.registered_index < 0) return;
    const iovec none{nullptr, 0};
    const __u64 tag = 0;
    const auto index = static_cast<uint32_t>(std::exchange(buffer.registered_index, -1));
    const int rc = io_uring_register_buffers_update_tag(&ring_, index, &none, &tag, 1);
    ASSERT(rc == 1);
    free_registered_.push_back(index);
    statistics_.registered_bytes -= buffer.size();
}

IoStatistics UringIo::statistics() const {
    IoStatistics result = statistics_;
    result.buffers_lent = pool_.lent();
    return result;
}

}  // namespace millrace
