// The world: its nodes in the order of their making, one clock, one seed.
#include <fmt/core.h>

#include "millrace/sim.h"
#include "network.h"
#include "node.h"
#include "queue.h"

namespace millrace {

namespace sim {

class World {
 public:
    explicit World(const SimOptions& given)
        : options(given),
          network(queue, options.network, mix(options.seed, 1)),
          delays(mix(options.seed, 2)),
          choices(mix(options.seed, 3)),
          shared{options, queue, network, delays, lines} {}

    SimOptions options;
    Queue queue;
    Network network;
    Random delays, choices;
    std::vector<SimLine> lines;
    Shared shared;
    std::vector<std::unique_ptr<Node>> nodes;
};

}  // namespace sim

SimWorld::SimWorld(const SimOptions& options) : world_(std::make_unique<sim::World>(options)) {}
SimWorld::~SimWorld() = default;

SimNode& SimWorld::add_node(const NodeOptions& options) {
    NodeOptions named = options;
    const size_t number = world_->nodes.size() + 1;
    if (named.address.empty()) named.address = fmt::format("10.0.0.{}", number);
    for (const auto& node : world_->nodes) ASSERT(node->address() != named.address);
    const uint64_t seed = sim::mix(world_->options.seed, 100 + number);
    world_->nodes.push_back(std::make_unique<sim::Node>(world_->shared, named, seed));
    return *world_->nodes.back();
}

bool SimWorld::turn() { return world_->queue.turn(); }

bool SimWorld::run_until(const std::function<bool()>& condition, uint64_t within_ns) {
    sim::Queue& queue = world_->queue;
    const uint64_t deadline_ns = queue.now_ns() + within_ns;
    while (!condition()) {
        if (queue.next_ns() > deadline_ns) return false;
        queue.turn();
    }
    return true;
}

void SimWorld::run_for(uint64_t nanoseconds) {
    const uint64_t deadline_ns = world_->queue.now_ns() + nanoseconds;
    while (world_->queue.next_ns() <= deadline_ns) world_->queue.turn();
    world_->queue.advance_to(deadline_ns);
}

bool SimWorld::run_until_idle(uint64_t within_ns) {
    const uint64_t deadline_ns = world_->queue.now_ns() + within_ns;
    while (world_->queue.next_ns() <= deadline_ns) world_->queue.turn();
    return world_->queue.next_ns() == UINT64_MAX;
}

uint64_t SimWorld::now_ns() const { return world_->queue.now_ns(); }
uint64_t SimWorld::turns() const { return world_->queue.turns(); }
uint64_t SimWorld::trace_hash() const { return world_->queue.trace_hash(); }
uint64_t SimWorld::random() { return world_->choices.next(); }
NetworkOptions& SimWorld::network() { return world_->network.options(); }

void SimWorld::cut_link(const SimNode& from, const SimNode& to) {
    world_->network.cut(from.address(), to.address());
}
void SimWorld::heal_link(const SimNode& from, const SimNode& to) {
    world_->network.heal(from.address(), to.address());
}

const std::vector<SimLine>& SimWorld::lines() const { return world_->lines; }

size_t SimWorld::count_lines(Level level) const {
    return static_cast<size_t>(std::ranges::count(world_->lines, level, &SimLine::level));
}

bool SimWorld::has_line(std::string_view part) const {
    return std::ranges::any_of(
        world_->lines, [&](const SimLine& line) { return line.text.find(part) != std::string::npos; });
}

uint64_t each_crash_point(const std::function<bool(uint64_t point)>& run) {
    uint64_t point = 1;
    while (run(point)) point++;
    return point - 1;
}

}  // namespace millrace
