// What a reply leaves behind for the next one, and what is too large to lie about.
#include "reply_stock.h"

namespace millrace {
namespace {

constexpr size_t arena_bytes_max = 16 << 10;
constexpr size_t written_bytes_max = 4 << 10;
constexpr size_t pieces_max = 64;

}  // namespace

void EncodedReply::end() { stock_.put_back(std::unique_ptr<EncodedReply>(this)); }

void EncodedReply::list_pieces() {
    writer_.append_pieces(parts_);
    for (const Bytes part : parts_) pieces_.push_back({part.data(), part.size()});
}

bool EncodedReply::is_worth_keeping() const {
    return arena_.used() <= arena_bytes_max && pieces_.size() <= pieces_max &&
           (writer_.is_spliced() || writer_.size() <= written_bytes_max);
}

void EncodedReply::clear() {
    held_.clear();
    parts_.clear();
    pieces_.clear();
    // How much of it was written, and not spliced in, it does not tell.
    if (writer_.is_spliced())
        writer_ = {};
    else
        writer_.clear();
    arena_.reset();
}

std::unique_ptr<EncodedReply, ReplyBody::End> ReplyStock::take() {
    if (spare_.empty()) return std::make_unique<EncodedReply>(*this);
    auto reply = std::move(spare_.back());
    spare_.pop_back();
    return reply;
}

void ReplyStock::put_back(std::unique_ptr<EncodedReply> reply) {
    if (spare_.size() == spare_max || !reply->is_worth_keeping()) return;
    reply->clear();
    spare_.push_back(std::move(reply));
}

}  // namespace millrace
