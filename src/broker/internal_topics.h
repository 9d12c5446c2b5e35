// Topics that come into being when they are first needed.
#pragma once
#include "millrace/shard.h"

namespace millrace {

// The topic as automatic creation makes it: the coordinators' topics with their own settings.
NewTopic auto_topic(const BrokerConfig& config, std::string_view name);

// Creates those that are missing, on shard 0, and ends when every shard serves them. Outcomes in order.
Task<std::vector<TopicOutcome>> ensure_topics(Shard& shard, std::vector<NewTopic> topics);

}  // namespace millrace
