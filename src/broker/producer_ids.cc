// InitProducerId for idempotent producers (KIP-98, KIP-360). Transactions are not served: a producer that
// asks with a transactional id is told that there is no coordinator for it.
#include "handlers.h"

namespace millrace {

Task<wire::InitProducerIdResponse> handle_init_producer_id(Call& call,
                                                           const wire::InitProducerIdRequest& request) {
    using Response = wire::InitProducerIdResponse;
    if (request.transactional_id) {
        const Error error =
            request.transactional_id->empty() ? Error::invalid_request : Error::coordinator_not_available;
        co_return Response{.error_code = error, .producer_id = -1, .producer_epoch = -1};
    }
    auto allocating = call.shard.next_producer_id();
    const auto id = co_await allocating;
    if (!id) co_return Response{.error_code = id.error(), .producer_id = -1, .producer_epoch = -1};
    co_return Response{.producer_id = id->value, .producer_epoch = 0};
}

}  // namespace millrace
