// Loading the broker's configuration: flags, environment and file become settings with their origin, each is
// checked, and the typed BrokerConfig is made of them. Every mistake is reported, not only the first.
#include "config_layers.h"
#include "config_listeners.h"
#include "config_value.h"

namespace millrace {

namespace {

// Variables of Kafka's container images that are not settings.
constexpr std::string_view foreign_variables[] = {
    "KAFKA_VERSION",
    "KAFKA_HOME",
    "KAFKA_HEAP_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
};

// X_Y_Z -> x.y.z; a double underscore is an underscore and a triple one a dash, as in the apache/kafka image.
std::string name_of_variable(std::string_view variable) {
    std::string name;
    for (size_t i = 0; i < variable.size();) {
        size_t run = 0;
        while (i + run < variable.size() && variable[i + run] == '_') run++;
        if (run == 0) {
            name += lower(variable[i++]);
            continue;
        }
        name += run == 3 ? "-" : run == 2 ? "_" : ".";
        i += run;
    }
    return name;
}

class Loader {
 public:
    explicit Loader(const ConfigInput& input) : input_(input) {}

    LoadedConfig load() {
        take_flags();
        take_environment("MILLRACE_", ConfigOrigin::millrace_environment);
        take_environment("KAFKA_", ConfigOrigin::kafka_environment);
        take_file();
        check_values();
        settle_node_id();
        if (loaded_.ok()) read();
        return std::move(loaded_);
    }

 private:
    Settings& settings() { return loaded_.config.settings; }

    // Called for the strongest origins first.
    void add(const std::string& name, Setting setting) { settings()[name].push_back(std::move(setting)); }

    void unknown(const std::string& where, const std::string& name) {
        std::string message = where + ": unknown key '" + name + "'";
        if (const auto nearest = nearest_broker_key(name))
            message += "; did you mean " + std::string(*nearest) + "?";
        else
            message += "; neither Kafka nor Millrace has one of that name";
        loaded_.errors.push_back(message);
    }

    void take_flags() {
        for (auto flag = input_.flags.rbegin(); flag != input_.flags.rend(); ++flag) {
            if (find_broker_key(flag->name)) {
                add(flag->name, {flag->value, ConfigOrigin::flag, flag->where});
            } else {
                unknown(flag->where, flag->name);
            }
        }
    }

    // A name that is near to a key is a mistake; one that is not belongs to somebody else (an orchestrator
    // that names a service "kafka" sets KAFKA_PORT and the like).
    void take_environment(std::string_view prefix, ConfigOrigin origin) {
        for (const auto& [variable, value] : input_.environment) {
            if (!variable.starts_with(prefix) || std::ranges::count(foreign_variables, variable) > 0)
                continue;
            std::string name = name_of_variable(std::string_view(variable).substr(prefix.size()));
            if (const std::string own = "millrace." + name; find_broker_key(own)) name = own;
            if (find_broker_key(name)) {
                add(name, {value, origin, variable});
            } else if (nearest_broker_key(name)) {
                unknown(variable, name);
            } else {
                loaded_.notices.push_back(variable + " is not a setting and was passed over");
            }
        }
    }

    void take_file() {
        std::vector<Property> properties = parse_properties(input_.file_text);
        for (auto property = properties.rbegin(); property != properties.rend(); ++property) {
            const std::string where = input_.file_name + ":" + std::to_string(property->line);
            if (find_broker_key(property->name)) {
                add(property->name, {property->value, ConfigOrigin::file, where});
            } else if (!is_plug_in_key(property->name)) {
                unknown(where, property->name);
            }
        }
    }

    // listener.name.*: a listener's own TLS and SASL settings, whose listener is refused with a reason.
    bool is_plug_in_key(const std::string& name) {
        if (!name.starts_with("listener.name.")) return false;
        loaded_.notices.push_back(name + " has no effect: TLS and SASL are not part of this version");
        return true;
    }

    void check_values() {
        std::map<std::string_view, std::string> ignored;  // Reason -> names.
        for (const auto& [name, given] : settings()) {
            const ConfigKey& key = *find_broker_key(name);
            const Setting& setting = given.front();
            if (const std::string message = check_config_value(key, setting.value); !message.empty())
                error(setting, message);
            else if (const std::string wrong = check_broker_setting(name, setting.value); !wrong.empty())
                error(setting, wrong);
            else if (key.treatment == Treatment::refused && !is_default(key, setting.value))
                error(setting, name + " is refused: " + std::string(key.documentation));
            else if (key.treatment == Treatment::ignored)
                ignored[key.documentation]
                    .append(ignored[key.documentation].empty() ? "" : ", ")
                    .append(name);
        }
        std::string notice;
        for (const auto& [reason, names] : ignored)
            notice.append(notice.empty() ? "without effect: " : "; ")
                .append(names)
                .append(" (")
                .append(reason) += ')';
        if (!notice.empty()) loaded_.notices.push_back(std::move(notice));
    }

    static bool is_default(const ConfigKey& key, std::string_view value) {
        return normal_config_value(key, value) == key.default_value.value_or("");
    }

    void error(const Setting& setting, const std::string& message) {
        loaded_.errors.push_back(setting.where + ": " + message);
    }

    // Kafka shows both names with the value of either.
    void settle_node_id() {
        const auto node = settings().find("node.id");
        const auto broker = settings().find("broker.id");
        const bool broker_set = broker != settings().end() && trim(broker->second.front().value) != "-1";
        if (node == settings().end() && !broker_set) {
            settings()["node.id"] = {{"1", ConfigOrigin::default_value, "default"}};
        } else if (node == settings().end()) {
            settings()["node.id"] = broker->second;
        } else if (broker_set && trim(broker->second.front().value) != trim(node->second.front().value)) {
            error(broker->second.front(), "broker.id must have the value of node.id; give only node.id");
        }
        settings()["broker.id"] = settings()["node.id"];
    }

    void read() {
        read_static_config(loaded_.config);
        loaded_.config.node_id = static_cast<int32_t>(*parse_whole(ConfigType::int32, value("node.id")));
        read_roles();
        read_data_directory();
        read_own();
        check_agreement();
        read_listeners(loaded_);
    }

    std::string_view value(std::string_view name) {
        if (const auto set = static_value(settings(), name)) return trim(*set);
        return find_broker_key(name)->default_value.value_or("");
    }
    std::string where(std::string_view name) {
        const auto found = settings().find(name);
        return found == settings().end() ? "default" : found->second.front().where;
    }
    void fail(std::string_view name, const std::string& message) {
        loaded_.errors.push_back(where(name) + ": " + std::string(name) + ": " + message);
    }

    void read_roles() {
        const std::vector<std::string_view> roles = list_items(value("process.roles"));
        if (!roles.empty() && std::ranges::count(roles, "broker") == 0)
            fail("process.roles", "a node is always a broker too; set broker,controller");
        for (std::string_view name : {"controller.quorum.voters", "controller.quorum.bootstrap.servers"})
            if (list_items(value(name)).size() > 1)
                fail(name, "this version runs a single node; name one at most, or leave the key out");
    }

    void read_data_directory() {
        const std::string_view name = value("log.dirs").empty() ? "log.dir" : "log.dirs";
        const std::vector<std::string_view> directories = list_items(value(name));
        if (directories.size() != 1)
            return fail(name, "one directory is kept, not " + std::to_string(directories.size()) +
                                  "; join disks below it (RAID, LVM)");
        loaded_.config.data_dir = directories.front();
    }

    void read_own() {
        constexpr int64_t shards_max = 1024, shard_id_step = 1'000'000;
        if (const std::string_view text = value("millrace.shards"); text != "auto") {
            const auto shards = parse_whole(ConfigType::int32, text);
            if (!shards || *shards < 1 || *shards > shards_max)
                return fail("millrace.shards", "not a number from 1 to 1024, nor auto");
            loaded_.config.shards = static_cast<int32_t>(*shards);
        }
        if (loaded_.config.shard_listeners && loaded_.config.node_id >= shard_id_step)
            fail("millrace.shard.listeners", "needs a node.id below 1000000: the shards' ids are above");
        if (const std::string_view text = value("millrace.memory"); text != "auto") {
            const auto bytes = parse_size(text);
            if (!bytes) return fail("millrace.memory", "not a size such as 512M or 4G, nor auto");
            loaded_.config.memory_bytes = *bytes;
        }
        if (const std::string_view text = value("millrace.disk.reserve"); text != "auto") {
            const auto bytes = text == "0" ? std::optional<uint64_t>(0) : parse_size(text);
            if (!bytes) return fail("millrace.disk.reserve", "not a size such as 512M or 4G, nor auto");
            loaded_.config.disk_reserve_bytes = static_cast<int64_t>(*bytes);
        }
        const std::string_view admin = value("millrace.admin.listen");
        const bool is_off = admin.empty() || admin == "none";
        if (!is_off && !parse_host_port(admin))
            return fail("millrace.admin.listen", "not HOST:PORT, nor none");
        loaded_.config.admin_listen = is_off ? "" : admin;
    }

    static std::optional<uint64_t> parse_size(std::string_view text) {
        uint64_t unit = 1;
        if (!text.empty()) {
            const char last = lower(text.back());
            unit = last == 'k' ? 1ull << 10 : last == 'm' ? 1ull << 20 : last == 'g' ? 1ull << 30 : 1;
            if (unit > 1) text.remove_suffix(1);
        }
        constexpr int64_t units_max = 1ll << 32;
        const auto count = parse_whole(ConfigType::int64, text);
        if (!count || *count < 1 || (unit > 1 && *count > units_max)) return std::nullopt;
        return static_cast<uint64_t>(*count) * unit;
    }

    void check_agreement() {
        const BrokerConfig& config = loaded_.config;
        if (config.group_min_session_timeout_ms > config.group_max_session_timeout_ms)
            fail("group.min.session.timeout.ms", "above group.max.session.timeout.ms");
        if (config.default_replication_factor < 1) fail("default.replication.factor", "must be at least 1");
    }

    const ConfigInput& input_;
    LoadedConfig loaded_;
};

}  // namespace

LoadedConfig load_broker_config(const ConfigInput& input) { return Loader(input).load(); }

}  // namespace millrace
