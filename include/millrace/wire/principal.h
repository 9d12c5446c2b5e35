// Who sent a forwarded request: the principal inside an Envelope and a delegation token.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DefaultPrincipalData {
    static constexpr Api api{.key = -1, .name = "DefaultPrincipalData", .versions = {0, 0}};

    String type;
    String name;
    bool token_authenticated = false;

    static void fields(auto& self, auto& v) {
        v("type", self.type);
        v("name", self.name);
        v("token_authenticated", self.token_authenticated);
    }
};

}  // namespace millrace::wire
