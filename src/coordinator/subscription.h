// What a consumer's metadata says of the topics it wants: the part that all versions of it begin with.
#pragma once
#include <set>
#include <string>

#include "millrace/base.h"

namespace millrace::coordinator {

// Adds the topics of a ConsumerProtocolSubscription of any version; false when the bytes are none. Clients
// of languages other than Java put their own there: the coordinator must live with anything.
bool add_subscribed_topics(Bytes metadata, std::set<std::string, std::less<>>& topics);

}  // namespace millrace::coordinator
