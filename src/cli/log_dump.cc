// `millrace log dump`.
#include <fmt/format.h>

#include "offline.h"

namespace millrace::cli {

namespace {

class RowPrinter final : public DumpListener {
 public:
    explicit RowPrinter(Format format) : format_(format) {}

    void on_row(const DumpRow& row) override {
        if (format_ == Format::table) return add(text_of(row));
        if (format_ == Format::jsonl) return add(json_of(row) + "\n");
        add((any_ ? ",\n  " : "[\n  ") + json_of(row));
        any_ = true;
    }
    void finish() {
        if (format_ == Format::json) add(any_ ? "\n]\n" : "[]\n");
        print(text_);
        text_.clear();
    }

 private:
    // Dumps are long: a write for each line would be most of the work.
    void add(std::string_view text) {
        constexpr size_t enough = 64 << 10;
        text_ += text;
        if (text_.size() < enough) return;
        print(text_);
        text_.clear();
    }
    static std::string json_of(const DumpRow& row) {
        JsonObject object;
        object.text("kind", row.kind);
        for (const DumpField& field : row.fields)
            field.is_number ? object.raw(field.name, field.value) : object.text(field.name, field.value);
        return object.done();
    }
    static std::string text_of(const DumpRow& row) {
        if (row.kind == "file") return row.fields[0].value + "\n";
        std::string text = fmt::format("  {:<9}", row.kind);
        for (const DumpField& field : row.fields) text += fmt::format(" {}={}", field.name, field.value);
        return text + "\n";
    }

    const Format format_;
    std::string text_;
    bool any_ = false;
};

Task<int> dump(Io& io, const Arguments& arguments) {
    RowPrinter printer{*offline_format(arguments)};
    int code = exit_ok;
    for (const std::string& path : arguments.words) {
        const auto bad = co_await dump_log(io, {.path = path, .records = arguments.has("records")}, printer);
        if (bad && *bad > 0) code = exit_failed;
        if (bad) continue;
        if (bad.error() == Error::resource_not_found)
            code = fail(exit_not_found, "there is no " + path);
        else if (bad.error() == Error::invalid_request)
            code = fail(
                exit_usage, "log dump: nothing is known of a file of that name: " + path,
                "it takes .log, .index, .timeindex and .snapshot files, leader-epoch-checkpoint, "
                "partition.metadata, partition.meta, node.meta, journal/SHARD/N, and directories of these");
        else
            code = fail_with("cannot read " + path, bad.error());
    }
    printer.finish();
    co_return code;
}

}  // namespace

int run_log_dump(const Arguments& arguments) {
    if (!offline_format(arguments)) return bad_format("log dump", arguments);
    return run_offline(LogLines::warnings, [&arguments](Io& io) { return dump(io, arguments); });
}

}  // namespace millrace::cli
