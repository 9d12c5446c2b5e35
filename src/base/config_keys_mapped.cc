// Broker keys whose meaning another key or mechanism serves; in the order of their names.
#include "config_keys.h"

namespace millrace {

using namespace config_rows;

namespace {

constexpr KeyRow rows[] = {
    {"broker.id", int32, "-1", any, fixed, "Old name of node.id."},
    {"controller.listener.names", list, none, any, fixed,
     "Listeners named here are left out: the metadata log needs no listener of its own on one node."},
    {"controller.quorum.bootstrap.servers", list, "", any, fixed,
     "One server at most: this version runs a single node, which is its own quorum."},
    {"controller.quorum.voters", list, "", any, fixed,
     "One voter at most: this version runs a single node, which is its own quorum."},
    {"inter.broker.listener.name", string, none, any, fixed,
     "Nodes speak over their own links, not over a listener for clients."},
    {"log.local.retention.bytes", int64, "-2", at_least(-2), dynamic,
     "Default of local.retention.bytes for topics; there is no tiered storage."},
    {"log.local.retention.ms", int64, "-2", at_least(-2), dynamic,
     "Default of local.retention.ms for topics; there is no tiered storage."},
    {"offsets.topic.replication.factor", int16, "3", at_least(1), fixed,
     "At most one replica per node: one."},
    {"process.roles", list, none, one_of("broker controller"), fixed,
     "Every node is broker and controller; controller alone is refused."},
    {"security.inter.broker.protocol", string, "PLAINTEXT", one_of("PLAINTEXT SSL SASL_PLAINTEXT SASL_SSL"),
     fixed, "Nodes speak over their own links, not over a listener for clients."},
};

}  // namespace

std::span<const KeyRow> mapped_broker_rows() { return rows; }

}  // namespace millrace
