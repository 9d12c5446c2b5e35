// Faults and latencies on the way to the file system; each draw from the disk's own streams.
#include "disk.h"

#include <cerrno>

namespace millrace::sim {

Disk::Disk(const DiskOptions& options, uint64_t seed)
    : options_(options),
      files_(options.capacity_bytes),
      delays_(mix(seed, 1)),
      faults_(mix(seed, 2)),
      crashes_(mix(seed, 3)) {}

FileSystem& Disk::files() {
    files_.set_capacity(options_.capacity_bytes);
    return files_;
}

uint64_t Disk::delay_ns(Op::Kind kind) {
    const uint64_t extra = delays_.chance(options_.spike) ? delays_.between(options_.spike_ns) : 0;
    switch (kind) {
        case Op::Kind::read: return extra + delays_.between(options_.read_ns);
        case Op::Kind::write: return extra + delays_.between(options_.write_ns);
        case Op::Kind::sync:
        case Op::Kind::sync_directory: return extra + delays_.between(options_.sync_ns);
        default: return extra + delays_.between(options_.metadata_ns);
    }
}

int32_t Disk::read(InodeNumber number, uint64_t offset, MutableBytes into) {
    if (faults_.chance(options_.read_error)) {
        met_.read_errors++;
        return -EIO;
    }
    const auto [broken, broken_end] = broken_in(number, offset, into.size());
    if (broken != broken_end) {
        met_.read_errors++;
        return -EIO;
    }
    if (into.size() > 1 && faults_.chance(options_.short_read)) {
        met_.short_reads++;
        into = into.first(1 + faults_.below(into.size() - 1));
    }
    const int32_t length = files().read(number, offset, into);
    if (length <= 0 || !faults_.chance(options_.bit_flip)) return length;
    const uint64_t flipped = offset + faults_.below(static_cast<uint64_t>(length));
    files_.content(number).flip(flipped, static_cast<uint8_t>(1 << faults_.below(8)));
    return files_.read(number, offset, into);
}

int32_t Disk::write(InodeNumber number, uint64_t offset, Bytes bytes, Durable durable) {
    if (faults_.chance(options_.write_error)) {
        met_.write_errors++;
        write_some_sectors(number, offset, bytes);
        return -EIO;
    }
    if (bytes.size() > 1 && faults_.chance(options_.short_write)) {
        met_.short_writes++;
        bytes = bytes.first(1 + faults_.below(bytes.size() - 1));
    }
    const auto [broken, broken_end] = broken_in(number, offset, bytes.size());
    broken_.erase(broken, broken_end);
    if (faults_.chance(options_.lost_write)) {
        met_.lost_writes++;
        return static_cast<int32_t>(bytes.size());
    }
    const uint64_t file_size = files_.content(number).size();
    if (file_size > bytes.size() && faults_.chance(options_.misdirected_write)) {
        const uint64_t sectors = (file_size - bytes.size()) / Content::sector_size + 1;
        offset = faults_.below(sectors) * Content::sector_size;
        met_.misdirected_writes++;
    }
    return note_full(files().write(number, offset, bytes, durable), bytes.size());
}

int32_t Disk::allocate(InodeNumber number, uint64_t offset, uint64_t length) {
    return note_full(files().allocate(number, offset, length), 0);
}

// The outcome of what wanted room for so many bytes.
int32_t Disk::note_full(int32_t outcome, uint64_t wanted) {
    met_.full += outcome == -ENOSPC || (outcome >= 0 && static_cast<uint64_t>(outcome) < wanted);
    return outcome;
}

int32_t Disk::sync(InodeNumber number) {
    if (!faults_.chance(options_.sync_error)) return files_.sync(number);
    met_.sync_errors++;
    files_.content(number).fail_sync(faults_);
    return -EIO;
}

void Disk::crash_write(InodeNumber number, uint64_t offset, Bytes bytes, Durable durable, Crash how) {
    size_t kept = 0;
    if (how == Crash::power_cut) {
        kept = write_some_sectors(number, offset, bytes);
    } else {
        if (crashes_.chance(options_.torn_at_kill))
            kept = crashes_.below(bytes.size() / Content::sector_size + 1) * Content::sector_size;
        else if (crash_coin())
            kept = bytes.size();
        if (kept > 0) files().write(number, offset, bytes.first(kept), durable);
    }
    met_.torn += kept > 0 && kept < bytes.size();
}

// Each sector of a write by itself, durably or not at all.
size_t Disk::write_some_sectors(InodeNumber number, uint64_t offset, Bytes bytes) {
    const uint64_t mood = crashes_.below(3);
    size_t written = 0;
    for (uint64_t at = 0; at < bytes.size();) {
        const uint64_t to_boundary = Content::sector_size - (offset + at) % Content::sector_size;
        const uint64_t length = std::min<uint64_t>(to_boundary, bytes.size() - at);
        const bool kept = mood == 0 ? true : mood == 1 ? false : crash_coin();
        if (kept && files().write(number, offset + at, bytes.subspan(at, length), Durable::yes) < 0) break;
        if (kept) written += length;
        at += length;
    }
    return written;
}

// ---- As a test sees it --------------------------------------------------------------------------------

std::vector<std::string> Disk::names(std::string_view directory) const {
    std::vector<std::string> names;
    const int32_t failed = files_.list(directory, names);
    return failed ? std::vector<std::string>{} : names;
}

std::vector<uint8_t> Disk::contents(std::string_view path) const {
    const InodeNumber number = files_.find(path);
    if (!number || files_.is_directory(number)) return {};
    std::vector<uint8_t> bytes(files_.content(number).size());
    files_.content(number).read(0, bytes);
    return bytes;
}

void Disk::put(std::string_view path, Bytes bytes) {
    make_directories_above(path);
    const int32_t number = files().open(path, Op::read_write | Op::create);
    ASSERT(number > 0);
    files_.truncate(number, 0);
    const int32_t written = bytes.empty() ? 0 : files_.write(number, 0, bytes, Durable::yes);
    ASSERT(written == static_cast<int32_t>(bytes.size()));
    files_.release(number);
    files_.sync_all();
}

void Disk::make_directories_above(std::string_view path) {
    for (size_t slash = path.find('/', 1); slash != std::string_view::npos; slash = path.find('/', slash + 1))
        if (!files_.find(path.substr(0, slash))) files_.make_directory(path.substr(0, slash));
}

void Disk::flip(std::string_view path, uint64_t offset, uint8_t mask) {
    const InodeNumber number = files_.find(path);
    ASSERT(number && !files_.is_directory(number));
    files_.content(number).flip(offset, mask);
}

}  // namespace millrace::sim
