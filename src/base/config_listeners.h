// Listeners: where a broker listens and what it tells its clients. Private to base.
#pragma once
#include "millrace/address.h"
#include "millrace/config.h"

namespace millrace {

// Fills config.listeners from the settings; adds to errors.
void read_listeners(LoadedConfig& loaded);

}  // namespace millrace
