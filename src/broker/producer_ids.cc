// InitProducerId for idempotent producers (KIP-98, KIP-360). Transactions are not served: a producer that
// asks with a transactional id is given the error that ends it.
#include "handlers.h"

namespace millrace {

void refuse_transactions(Call& call, std::string_view transactional_id) {
    call.shard.io().log().warn("broker",
                               "transactional producer refused: transactions are not part of this version",
                               {{"peer", call.connection.peer}, {"transactional.id", transactional_id}});
}

Task<wire::InitProducerIdResponse> handle_init_producer_id(Call& call,
                                                           const wire::InitProducerIdRequest& request) {
    using Response = wire::InitProducerIdResponse;
    if (request.transactional_id) {
        if (request.transactional_id->empty())
            co_return Response{.error_code = Error::invalid_request, .producer_id = -1, .producer_epoch = -1};
        refuse_transactions(call, *request.transactional_id);
        co_return Response{.error_code = no_transactions, .producer_id = -1, .producer_epoch = -1};
    }
    auto allocating = call.shard.next_producer_id();
    const auto id = co_await allocating;
    if (!id) co_return Response{.error_code = id.error(), .producer_id = -1, .producer_epoch = -1};
    co_return Response{.producer_id = id->value, .producer_epoch = 0};
}

}  // namespace millrace
