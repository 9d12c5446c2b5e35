// What newer kernels offer and the oldest liburing we build with (2.3) does not name yet. Numbers are the
// kernel's (include/uapi/linux/io_uring.h) and never change; whether a kernel has them is asked at run time.
#pragma once
#include <liburing.h>

namespace millrace::uring_abi {

constexpr uint8_t op_ftruncate = 55;  // Linux 6.9.

}  // namespace millrace::uring_abi
