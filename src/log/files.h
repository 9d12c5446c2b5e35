// Small files and single steps on files, as coroutines over the seam. Only for files that are never open with
// O_DIRECT at the same time, but for the `direct_` ones.
//
// Errors: kafka_storage_error, but for what says otherwise; a full disk is disk_full.
#pragma once
#include <string>
#include <vector>

#include "millrace/io.h"

namespace millrace {

// A full disk is not a broken one: the caller keeps what it has in memory and comes again. Kafka has no code
// for it, so this one stays inside src/log; whoever is outside is told kafka_storage_error.
inline constexpr Error disk_full = static_cast<Error>(-2);
// A cleaned file has taken the place of the one that was to be read: look again. Stays inside src/log, too.
inline constexpr Error replaced = static_cast<Error>(-3);
constexpr Error told_outside(Error error) { return error == disk_full ? Error::kafka_storage_error : error; }

enum class Sync : bool { no, yes };

// The Error of a negative outcome.
Error storage_error(int32_t outcome);

// A write that the kernel cut short is done again from its beginning, so that a direct one stays aligned; the
// outcome of the last try.
inline constexpr uint32_t short_writes_max = 16;
Task<int32_t> write_whole(Io& io, OpArguments arguments);

struct OpenOptions {
    std::string path;
    uint32_t flags = 0;  // Op::Open
};
Task<Result<int>> open_file(Io& io, OpenOptions options);
Task<> close_file(Io& io, int fd);

// The whole file. resource_not_found when there is none; larger than `size_max`: kafka_storage_error.
Task<Result<std::vector<uint8_t>>> read_file(Io& io, std::string path, size_t size_max = 64 << 20);
// At most the last `bytes_max` bytes of a file, and how large it is. resource_not_found when there is none.
struct FileEnd {
    uint64_t size = 0;
    std::vector<uint8_t> bytes;
};
Task<Result<FileEnd>> read_end(Io& io, std::string path, size_t bytes_max);
// Whole or not at all: a temporary file, flushed if asked, then renamed. The directory is synced by the
// caller.
Task<Result<>> write_file(Io& io, std::string path, std::vector<uint8_t> bytes, Sync sync);
struct FilePart {
    std::string path;
    uint64_t offset = 0;
    std::vector<uint8_t> bytes;
};
// As write_file; they are flushed together, and renamed one after the other.
Task<Result<>> write_two_files(Io& io, FilePart first, FilePart second);
// At `offset` of a file that is made when missing. Not atomic.
Task<Result<>> write_part(Io& io, FilePart part, Sync sync);

Task<Result<>> make_directory(Io& io, std::string path);  // Fine when it is there.
Task<Result<>> sync_directory(Io& io, std::string path);
// Makes the directory if it is missing; its name is durable in the one above it.
Task<Result<>> make_root(Io& io, std::string path);
Task<Result<>> rename_file(Io& io, std::string from, std::string to);
Task<Result<>> remove_file(Io& io, std::string path);  // Fine when it is not there.
// A directory with the files in it (not deeper). Fine when it is not there.
Task<Result<>> remove_tree(Io& io, std::string path);
Task<Result<std::vector<std::string>>> list_directory(Io& io, std::string path);  // None when not there.
Task<Result<std::optional<FileInfo>>> file_info(Io& io, std::string path);        // Nothing when not there.

// O_DIRECT reading and writing at any position and length, reading what surrounds it first; for recovery.
Task<Result<>> direct_read(Io& io, int fd, uint64_t position, MutableBytes to);
Task<Result<>> direct_write(Io& io, int fd, uint64_t position, Bytes bytes);

}  // namespace millrace
