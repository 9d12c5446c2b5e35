// Deadlines of things that mostly end before: one timer for all of them, so that setting and dropping a
// deadline costs a map entry and no operation.
//
// Owned by one shard. An entry leaves by itself when destroyed.
#pragma once
#include <map>

#include "millrace/io.h"

namespace millrace {

class Deadlines {
 public:
    class Entry {
     public:
        Entry() = default;
        Entry(const Entry&) = delete;
        // Called once, when the time has come; the entry has left then.
        virtual void on_deadline() = 0;
        bool is_set() const { return owner_ != nullptr; }

     protected:
        ~Entry() {
            if (owner_) owner_->drop(*this);
        }

     private:
        friend class Deadlines;
        Deadlines* owner_ = nullptr;
        std::multimap<uint64_t, Entry*>::iterator place_;  // While it is set.
    };

    explicit Deadlines(Io& io) : io_(io), alarm_(*this) {}
    Deadlines(const Deadlines&) = delete;
    ~Deadlines() { ASSERT(entries_.empty()); }

    // At a time of Io::now_ns(). May be late by the length of a turn. The entry must not be set already.
    void set(Entry& entry, uint64_t at_ns);
    // The entry must be set, here.
    void drop(Entry& entry);
    size_t count() const { return entries_.size(); }

    // Ends the timer; no deadline is kept from here. Await it before destruction in a living process.
    Task<> stop();

 private:
    struct Alarm final : Op {
        explicit Alarm(Deadlines& owner) : Op(Kind::sleep), owner(owner) {}
        void done(Outcome) override { owner.on_alarm(); }
        Deadlines& owner;
        uint64_t at_ns = 0;
    };
    void on_alarm();
    void arm();

    Io& io_;
    static constexpr size_t spare_max = 1024;

    std::multimap<uint64_t, Entry*> entries_;
    std::vector<std::multimap<uint64_t, Entry*>::node_type>
        spare_;  // Of entries that left, for the next ones.
    Alarm alarm_;
    bool armed_ = false;
    bool stopped_ = false;
    Signal ended_;
};

}  // namespace millrace
