// A visitor that writes a message as JSON with our names of fields, to be compared with Kafka's.
//
// Plain functions do the work, in json_writer.cc: this is compiled for every message there is.
#pragma once
#include <string>

#include "millrace/wire/codec.h"

namespace millrace::wire::test {

class JsonWriter {
 public:
    explicit JsonWriter(int16_t version) : version_(version) {}
    const std::string& text() const { return out_; }

    template <class T> void operator()(const char* name, const T& x, Presence where = {}) {
        if (where.versions.has(version_)) key(name), put(x);
    }
    template <class T> void operator()(const char* name, const T& x, Tag t) {
        if (t.versions.has(version_) && !has_default(x, t)) key(name), put(x);
    }
    template <Struct T> void put(const T& x) {
        open('{');
        T::fields(x, *this);
        close('}');
    }

 private:
    template <class T>
        requires is_list<List<T>>
    void put(List<T> xs) {
        open('[');
        for (const T& x : xs) separate(), put(x);
        close(']');
    }
    template <class T> void put(const Nullable<T>& x) { x ? put(*x) : put_null(); }
    template <std::integral T> void put(T x) { put_number(static_cast<int64_t>(x)); }
    void put_number(int64_t x);
    void put(Error x) { put_number(static_cast<int16_t>(x)); }
    void put(bool x);
    void put(double x);
    void put(String x);
    void put(const Uuid& x);
    void put(Bytes x);
    void put(const Records& x) { put(x.whole()); }
    void put_null();

    void key(const char* name);
    void open(char bracket);
    void close(char bracket);
    void separate();

    const int16_t version_;
    bool first_ = true;
    std::string out_;
};

}  // namespace millrace::wire::test
