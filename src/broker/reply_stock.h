// Replies, with the memory that they are made in: a shard keeps those that were sent for the next ones, so
// that a steady state allocates nothing.
//
// Belongs to one shard, and outlives its replies.
#pragma once
#include <memory>
#include <vector>

#include "call.h"

namespace millrace {

class ReplyStock;

// A response and all that its bytes point into.
class EncodedReply final : public ReplyBody {
 public:
    explicit EncodedReply(ReplyStock& stock) : stock_(stock) {}

    std::span<const Piece> pieces() const override { return pieces_; }
    size_t size() const override { return writer_.size(); }
    void end() override;
    Arena& arena() { return arena_; }

    // Takes over what the call holds.
    template <class T> void encode(const T& response, const wire::Request& header, Call& call) {
        wire::encode_response(writer_, response, header.version, header.correlation_id);
        held_ = std::move(call.held);
        list_pieces();
    }

 private:
    friend class ReplyStock;
    void list_pieces();
    bool is_worth_keeping() const;
    void clear();

    ReplyStock& stock_;
    Arena arena_;
    wire::Writer writer_;
    std::vector<Bytes> parts_;
    std::vector<Piece> pieces_;
    std::vector<std::unique_ptr<Held>> held_;
};

class ReplyStock {
 public:
    static constexpr size_t spare_max = 256;

    // Comes back by itself when it ends.
    std::unique_ptr<EncodedReply, ReplyBody::End> take();
    void trim() { spare_.clear(); }
    size_t spare_count() const { return spare_.size(); }

 private:
    friend class EncodedReply;
    void put_back(std::unique_ptr<EncodedReply> reply);

    std::vector<std::unique_ptr<EncodedReply>> spare_;
};

}  // namespace millrace
