// Reading the topics out of a metadata log's files.
#include "millrace/topic_scan.h"

#include "millrace/batch.h"
#include "millrace/log_tools.h"
#include "millrace/wire/topic_records.h"

namespace millrace {

namespace {

class TopicScan {
 public:
    // False: a record of a topic cannot be read.
    bool apply(const BatchView& batch) {
        if (batch.is_control()) return true;
        Decompressor decompressor;
        auto records = RecordReader::open(batch, decompressor);
        if (!records) return false;
        while (const auto record = records->next())
            if (record->value && !apply_value(*record->value)) return false;
        return records->error() == Error::none;
    }
    ScannedTopics take() { return std::move(topics_); }

 private:
    bool apply_value(Bytes value) {
        const auto parsed = wire::parse_metadata_record(value);
        if (!parsed) return false;
        switch (parsed->type) {
            case wire::TopicRecord::api.key: return decode<wire::TopicRecord>(*parsed);
            case wire::PartitionRecord::api.key: return decode<wire::PartitionRecord>(*parsed);
            case wire::RemoveTopicRecord::api.key: return decode<wire::RemoveTopicRecord>(*parsed);
            case wire::ConfigRecord::api.key: return decode<wire::ConfigRecord>(*parsed);
            default: return true;
        }
    }
    template <class Record> bool decode(const wire::MetadataBody& body) {
        if (!Record::api.versions.has(body.version)) return false;
        memory_.reset();
        const auto record = wire::decode<Record>(body.body, body.version, memory_);
        if (record) apply(*record);
        return record.has_value();
    }
    void apply(const wire::TopicRecord& record) {
        const std::string name{record.name};
        topics_[name].id = record.topic_id;
        names_[record.topic_id] = name;
    }
    void apply(const wire::PartitionRecord& record) {
        const auto name = names_.find(record.topic_id);
        if (name == names_.end()) return;
        int32_t& count = topics_[name->second].partitions;
        count = std::max(count, record.partition_id + 1);
    }
    void apply(const wire::RemoveTopicRecord& record) {
        const auto name = names_.find(record.topic_id);
        if (name == names_.end()) return;
        topics_.erase(name->second);
        names_.erase(name);
    }
    void apply(const wire::ConfigRecord& record) {
        constexpr int8_t of_a_topic = 2;
        const auto topic = topics_.find(record.resource_name);
        if (record.resource_type != of_a_topic || topic == topics_.end()) return;
        const std::string key{record.name};
        if (record.value)
            topic->second.configs[key] = std::string{*record.value};
        else
            topic->second.configs.erase(key);
    }

    ScannedTopics topics_;
    std::map<Uuid, std::string> names_;
    Arena memory_;
};

// "00000000000000000123-0000000007.checkpoint": everything below offset 123.
std::optional<int64_t> snapshot_offset(std::string_view name) {
    constexpr size_t digits = 20;
    if (!name.ends_with(".checkpoint") || name.size() < digits || name[digits] != '-') return {};
    int64_t offset = 0;
    for (const char c : name.substr(0, digits)) {
        if (c < '0' || c > '9' || offset > INT64_MAX / 10 - 10) return {};
        offset = offset * 10 + (c - '0');
    }
    return offset;
}

}  // namespace

Task<Result<ScannedTopics>> scan_topics(Io& io, std::string directory) {
    std::vector<std::string> names;
    const int32_t listed = co_await Once{io, Op::Kind::list, {.path = directory.c_str(), .names = &names}};
    if (listed == -ENOENT) co_return ScannedTopics{};
    if (listed < 0) co_return Error::kafka_storage_error;
    std::vector<std::string> files;
    int64_t from = 0;
    for (const std::string& name : names)
        if (const auto offset = snapshot_offset(name)) from = *offset, files = {name};
    for (const std::string& name : names)
        if (name.ends_with(".log")) files.push_back(name);
    TopicScan scan;
    bool is_sound = true;
    for (const std::string& name : files) {
        const bool is_snapshot = name.ends_with(".checkpoint");
        const auto take = [&](const BatchView& batch) {
            if (is_snapshot || batch.base_offset().value >= from) is_sound &= scan.apply(batch);
        };
        const auto read = co_await each_batch(io, directory + "/" + name, take);
        if (!read) co_return read.error();
    }
    if (!is_sound) co_return Error::corrupt_message;
    co_return scan.take();
}

}  // namespace millrace
