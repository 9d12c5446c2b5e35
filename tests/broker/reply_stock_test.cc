// What replies leave behind for the next ones.
#include "reply_stock.h"

#include <doctest/doctest.h>

namespace millrace {
namespace {

TEST_CASE("a reply that has ended is used again, with its memory") {
    ReplyStock stock;
    const EncodedReply* first;
    const void* memory;
    {
        const auto reply = stock.take();
        first = reply.get();
        memory = reply->arena().take(100, 8);
        CHECK(stock.spare_count() == 0);
    }
    CHECK(stock.spare_count() == 1);
    const auto again = stock.take();
    CHECK(again.get() == first);
    CHECK(again->arena().used() == 0);
    CHECK(again->arena().take(100, 8) == memory);
    CHECK(again->pieces().empty());
    CHECK(again->size() == 0);
}

TEST_CASE("a reply that took much memory is not kept") {
    ReplyStock stock;
    (void)stock.take()->arena().take(1 << 20, 8);
    CHECK(stock.spare_count() == 0);
}

TEST_CASE("a stock keeps so many replies and no more") {
    ReplyStock stock;
    std::vector<std::unique_ptr<EncodedReply, ReplyBody::End>> replies;
    for (size_t i = 0; i < ReplyStock::spare_max + 10; i++) replies.push_back(stock.take());
    replies.clear();
    CHECK(stock.spare_count() == ReplyStock::spare_max);
}

}  // namespace
}  // namespace millrace
