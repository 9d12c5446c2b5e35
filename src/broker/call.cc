// What handlers have in common.
#include "call.h"

namespace millrace {
namespace {

class HeldArena final : public Held {
 public:
    explicit HeldArena(Arena arena) : arena_(std::move(arena)) {}

 private:
    Arena arena_;
};

}  // namespace

void Call::hold_arena(Arena arena) {
    if (arena.used() > 0) held.push_back(std::make_unique<HeldArena>(std::move(arena)));
}

TopicLookup find_topic(Shard& shard, std::string_view name, const Uuid& id, bool by_id) {
    const MetadataState& metadata = shard.metadata();
    const TopicInfo* topic = by_id ? metadata.topic(id) : metadata.topic(name);
    if (topic) return {topic, Error::none};
    return {nullptr, by_id ? Error::unknown_topic_id : Error::unknown_topic_or_partition};
}

}  // namespace millrace
