// One-line structured log: `2026-11-22T17:10:00.130Z INFO  shard=1 net  listening addr=127.0.0.1:9092`.
//
// A Logger belongs to one shard. Time and output come through the LogSink: nothing here reads a clock.
// The same line again and again is written once, and then only counted: ` repeated=N` tells how often it came
// since, when another line comes, when repeat_ms have passed, or on flush().
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

#include "millrace/base.h"

namespace millrace {

enum class Level : uint8_t { debug, info, warn, error };

// Where lines go. Implemented by the seam (stderr) and by the simulator (captured).
class LogSink {
 public:
    virtual int64_t wall_ms() const = 0;
    virtual void write(Level level, std::string_view line) = 0;  // Without a line end; never blocks a shard.

 protected:
    ~LogSink() = default;
};

// name=value; values with spaces or quotes are quoted.
struct Field {
    Field(std::string_view name, std::string_view value) : name(name), value(value) {}
    Field(std::string_view name, const char* value) : name(name), value(value) {}
    Field(std::string_view name, const std::string& value) : name(name), value(value) {}
    template <std::integral T>
    Field(std::string_view name, T value) : name(name), value(std::to_string(value)) {}
    Field(std::string_view name, Error error) : name(name), value(error_name(error)) {}
    template <class Tag, class Rep>
    Field(std::string_view name, Strong<Tag, Rep> value) : name(name), value(std::to_string(value.value)) {}

    std::string_view name;
    std::string value;
};

class Logger {
 public:
    Logger(LogSink& sink, std::string shard) : sink_(sink), shard_(std::move(shard)) {}

    static constexpr size_t line_size_max = 4096;  // Longer lines are cut, and end in "...".
    static constexpr int64_t repeat_ms = 10'000;

    void set_level(Level level) { level_ = level; }
    // `module` is the folder under src/ that speaks; `event` is a short fixed phrase; the rest is in fields.
    void line(Level level, std::string_view module, std::string_view event,
              std::initializer_list<Field> fields);
    void debug(std::string_view module, std::string_view event, std::initializer_list<Field> fields = {}) {
        if (level_ <= Level::debug) line(Level::debug, module, event, fields);
    }
    void info(std::string_view module, std::string_view event, std::initializer_list<Field> fields = {}) {
        line(Level::info, module, event, fields);
    }
    void warn(std::string_view module, std::string_view event, std::initializer_list<Field> fields = {}) {
        line(Level::warn, module, event, fields);
    }
    void error(std::string_view module, std::string_view event, std::initializer_list<Field> fields = {}) {
        line(Level::error, module, event, fields);
    }
    // Tells of repeats that were not yet told. The owner calls it, at the end and whenever it likes.
    void flush();

 private:
    LogSink& sink_;
    std::string shard_;
    Level level_ = Level::info;
    std::string last_;  // Without its time.
    Level last_level_ = Level::info;
    int64_t last_ms_ = 0;   // When it was last written.
    uint64_t repeats_ = 0;  // Since then.
};

}  // namespace millrace
