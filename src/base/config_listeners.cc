// Listeners: where a broker listens and what it tells its clients, from the four keys that say so.
#include "config_listeners.h"

#include "config_layers.h"
#include "config_value.h"

namespace millrace {

namespace {

struct Endpoint {
    std::string name;
    HostPort at;
};

std::string upper(std::string_view text) {
    std::string name(text);
    for (char& c : name)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return name;
}

class ListenersReader {
 public:
    explicit ListenersReader(LoadedConfig& loaded) : loaded_(loaded) {}

    void read() {
        const std::vector<std::string_view> controllers = list_items(value("controller.listener.names"));
        for (const Endpoint& endpoint : endpoints("listeners")) {
            if (is_among(endpoint.name, controllers)) continue;
            if (!speaks_plaintext(endpoint.name)) continue;
            add(endpoint);
        }
        for (const Endpoint& endpoint : endpoints("advertised.listeners"))
            if (!is_among(endpoint.name, controllers)) advertise(endpoint);
        if (loaded_.config.listeners.empty() && loaded_.ok())
            fail("listeners", "no listener for clients; set for example listeners=PLAINTEXT://:9092");
    }

 private:
    std::string_view value(std::string_view name) const {
        if (const auto set = static_value(loaded_.config.settings, name)) return trim(*set);
        return find_broker_key(name)->default_value.value_or("");
    }

    void fail(std::string_view name, const std::string& message) {
        const auto found = loaded_.config.settings.find(name);
        const std::string where =
            found == loaded_.config.settings.end() ? "default" : found->second.front().where;
        loaded_.errors.push_back(where + ": " + std::string(name) + ": " + message);
    }

    static bool is_among(std::string_view name, std::span<const std::string_view> names) {
        return std::ranges::any_of(names, [&](std::string_view other) { return upper(other) == name; });
    }

    std::vector<Endpoint> endpoints(std::string_view key) {
        std::vector<Endpoint> parsed;
        for (std::string_view item : list_items(value(key))) {
            const size_t separator = item.find("://");
            const auto at = separator == std::string_view::npos ? std::nullopt
                                                                : parse_host_port(item.substr(separator + 3));
            if (!at || separator == 0)
                fail(key, "'" + std::string(item) + "' is not NAME://HOST:PORT, such as PLAINTEXT://:9092");
            else
                parsed.push_back({upper(item.substr(0, separator)), *at});
        }
        return parsed;
    }

    bool speaks_plaintext(std::string_view name) {
        for (std::string_view item : list_items(value("listener.security.protocol.map"))) {
            const size_t colon = item.find(':');
            if (colon == std::string_view::npos || upper(item.substr(0, colon)) != name) continue;
            const std::string protocol = upper(item.substr(colon + 1));
            if (protocol == "PLAINTEXT") return true;
            fail("listeners", std::string(name) + " speaks " + protocol +
                                  ", which is not part of this version; only PLAINTEXT is");
            return false;
        }
        fail("listeners", "no security protocol is given for " + std::string(name) + "; add " +
                              std::string(name) + ":PLAINTEXT to listener.security.protocol.map");
        return false;
    }

    void add(const Endpoint& endpoint) {
        for (const ListenerConfig& other : loaded_.config.listeners) {
            if (other.name == endpoint.name) return fail("listeners", other.name + " is given twice");
            if (other.port == endpoint.at.port && other.port != 0 && other.host == endpoint.at.host)
                return fail("listeners", "port " + std::to_string(other.port) + " is given twice");
        }
        loaded_.config.listeners.push_back(
            {.name = endpoint.name, .host = std::string(endpoint.at.host), .port = endpoint.at.port});
    }

    void advertise(const Endpoint& endpoint) {
        const auto listener =
            std::ranges::find(loaded_.config.listeners, endpoint.name, &ListenerConfig::name);
        if (listener == loaded_.config.listeners.end()) {
            if (loaded_.ok()) fail("advertised.listeners", endpoint.name + " is not among listeners");
            return;
        }
        if (endpoint.at.host == "0.0.0.0" || endpoint.at.host == "::")
            return fail("advertised.listeners",
                        "clients cannot connect to " + std::string(endpoint.at.host) +
                            "; name an address that they reach, or leave the key out");
        if (endpoint.at.host.empty()) return;  // The address that the client's connection came to.
        listener->advertised_host = endpoint.at.host;
        listener->advertised_port = endpoint.at.port;
    }

    LoadedConfig& loaded_;
};

}  // namespace

std::string ListenerConfig::address() const {
    const std::string shown = host.empty() ? "0.0.0.0" : host == "localhost" ? "127.0.0.1" : host;
    return host_port_text(shown, port);
}

void read_listeners(LoadedConfig& loaded) { ListenersReader(loaded).read(); }

}  // namespace millrace
