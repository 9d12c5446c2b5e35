// Checking a segment's `.sum`: what covers bytes that no batch's CRC does.
#include "files.h"
#include "verify.h"

namespace millrace {

Task<> PartitionCheck::check_sums(Extent extent, int fd) {
    const auto bytes = co_await read_file(io_, path(offset_name(extent.base, ".sum")));
    const auto sums = bytes ? SegmentSums::from_bytes(*bytes) : std::nullopt;
    Finding finding = about_segment(Severity::derived, FindingKind::sum, extent.base, ".sum");
    finding.mend = "`millrace log repair` takes it away, the broker makes it anew";
    if (!sums || sums->base != extent.base) {
        finding.what = "its checksum is wrong";
        findings_.add(std::move(finding));
        co_return;
    }
    if (sums->size == 0) co_return;  // While a segment grows they vouch for its indexes alone.
    if (sums->size != extent.end) {
        finding.what = "it is of a segment of another size";
        findings_.add(std::move(finding));
        co_return;
    }
    const auto wrong = co_await wrong_block(extent, fd, *sums);
    if (!wrong) co_return;
    finding = about_segment(Severity::damage, FindingKind::sum, extent.base, ".log");
    finding.position = static_cast<int64_t>(*wrong);
    finding.what = "bytes from here on are not what was written, though every batch looks sound";
    finding.mend = "put the bytes back from a copy; or take the .sum away, to trust the batches as they are";
    findings_.add(std::move(finding));
}

// Where the first block begins whose sum is another.
Task<std::optional<uint64_t>> PartitionCheck::wrong_block(Extent extent, int fd, SegmentSums sums) {
    FileReader reader{io_, fd, extent.end};
    std::vector<uint8_t> block(sum_block);
    std::optional<uint64_t> wrong;
    for (uint64_t at = 0; at < extent.end && !wrong; at += sum_block) {
        block.resize(std::min<uint64_t>(sum_block, extent.end - at));
        const auto copied = co_await reader.copy(at, block);
        const size_t index = at / sum_block;
        if (!copied || *copied < block.size() || index >= sums.blocks.size() || !sums.matches(index, block))
            wrong = at;
    }
    co_await reader.drain();
    co_return wrong;
}

}  // namespace millrace
