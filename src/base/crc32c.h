// The implementations behind crc32c(), each callable for tests and benches.
//
// All continue `crc` as crc32c() does and give the same result. Only `portable` runs everywhere.
#pragma once
#include "millrace/base.h"

namespace millrace::crc {

using Function = uint32_t (*)(Bytes bytes, uint32_t crc);

// Eight tables, eight bytes a step.
uint32_t portable(Bytes bytes, uint32_t crc);
// The crc32 instruction in three interleaved chains, joined by a carry-less multiplication.
uint32_t interleaved(Bytes bytes, uint32_t crc);
// Folds 512 bytes a step by carry-less multiplication; short inputs go to `interleaved`.
uint32_t folded(Bytes bytes, uint32_t crc);

bool has_interleaved();  // SSE4.2 and PCLMULQDQ.
bool has_folded();       // Also AVX-512 and VPCLMULQDQ, and the system saves their registers.

}  // namespace millrace::crc
