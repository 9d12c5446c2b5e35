// node.meta, copy by copy: for those who check and mend it.
#pragma once
#include <utility>

#include "millrace/log.h"

namespace millrace {

using IdentityCopies = std::pair<std::optional<NodeIdentity>, std::optional<NodeIdentity>>;
// Nothing where a copy is damaged. resource_not_found: there is no such file.
Task<Result<IdentityCopies>> read_identity_copies(Io& io, std::string directory);

}  // namespace millrace
