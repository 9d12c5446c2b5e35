// Arbitrary bytes as a produce request's records, as a fetch response and as compressed data: nothing may
// crash, read outside of its input or grow without bound, and what is accepted must survive a rebuild.
#include "millrace/batch.h"

namespace millrace {
namespace {

constexpr DecompressLimits limits{.size_max = 1 << 20, .size_free = 1 << 16, .ratio_max = 100};

void read_all(const BatchView& batch, Decompressor& decompressor) {
    (void)read_control(batch);
    (void)batch.last_sequence();
    auto reader = RecordReader::open(batch, decompressor, limits);
    if (!reader) return;
    size_t size = 0;
    while (auto record = reader->next()) {
        for (const auto& header : record->headers()) size += header.key.size() + (header.value ? 1 : 0);
        size += (record->key ? record->key->size() : 0) + (record->value ? record->value->size() : 0);
        ASSERT(size <= limits.size_max + batch.size());
    }
}

void check_client(Bytes bytes, uint8_t choice, Decompressor& decompressor, Compressor& compressor) {
    ClientBatchRules rules{.produce_version = static_cast<int16_t>(3 + choice % 8), .limits = limits};
    rules.compacted = choice & 8;
    if (choice & 16) rules.timestamp_type = TimestampType::log_append_time;
    if (choice & 32) rules.before_max_ms = rules.after_max_ms = INT64_MAX;
    const ClientBatch verdict = validate_client_batch(bytes, rules, decompressor);
    ASSERT(verdict.record_errors.size() <= record_errors_max);
    if (!verdict.ok()) return;
    const auto codec = static_cast<Codec>(choice % 5);
    const RebuildOptions options{.codec = codec, .timestamp_type = rules.timestamp_type, .limits = limits};
    const auto rebuilt = rebuild_batch(verdict.view(), options, compressor, decompressor);
    ASSERT(rebuilt.ok());
    const auto view = *BatchView::parse(*rebuilt);
    ASSERT(view.record_count() == verdict.view().record_count());
    ASSERT(view.crc_matches());
    const ClientBatchRules open_rules{.produce_version = 9,
                                      .size_max = UINT32_MAX,
                                      .compacted = rules.compacted,
                                      .before_max_ms = INT64_MAX,
                                      .after_max_ms = INT64_MAX};
    const ClientBatch again = validate_client_batch(*rebuilt, open_rules, decompressor);
    ASSERT(again.ok() || again.error == Error::invalid_timestamp);  // INT64_MIN is out of every range.
    ASSERT(!again.needs_rebuild);
}

// The same with a CRC that matches, or the fuzzer never gets past it.
void mend(std::vector<uint8_t>& bytes) {
    if (bytes.size() < batch_header_size) return;
    store_big<int32_t>(bytes.data() + 8, static_cast<int32_t>(bytes.size() - batch_length_offset));
    bytes[16] = 2;
    patch_crc(bytes);
}

void run(Bytes input) {
    if (input.empty()) return;
    static Decompressor decompressor;
    static Compressor compressor;
    const uint8_t choice = input[0];
    std::vector<uint8_t> bytes(input.begin() + 1, input.end());
    const auto codec = static_cast<Codec>(choice % 5);
    const auto plain = decompressor.decompress(codec, bytes, limits);
    if (plain && codec != Codec::none) ASSERT(plain->size() <= limits.bound(bytes.size()));
    if (choice & 128) mend(bytes);
    check_client(bytes, choice, decompressor, compressor);
    BatchReader reader(bytes, choice & 64 ? PartialTail::tolerated : PartialTail::refused);
    while (auto batch = reader.next()) read_all(*batch, decompressor);
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    millrace::run({data, size});
    return 0;
}
