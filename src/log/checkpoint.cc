// The leader epochs' file, and its copy.
#include "checkpoint.h"

#include <fmt/format.h>

namespace millrace {

namespace {

constexpr std::string_view name = "/leader-epoch-checkpoint";
constexpr size_t hash_size = 17;  // 16 digits and a line's end.

std::string hash_line(std::string_view text) {
    return fmt::format("{:016x}\n", hash64({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
}

// Nothing when it is not what was written.
std::optional<std::string_view> text_of_copy(std::string_view copy) {
    if (copy.size() < hash_size) return {};
    const std::string_view text = copy.substr(0, copy.size() - hash_size);
    if (copy.substr(text.size()) != hash_line(text)) return {};
    return text;
}

}  // namespace

// The copy is renamed first: where they differ, it is the newer one, or the other one is damaged.
Task<Result<Checkpoint>> read_checkpoint(Io& io, std::string directory) {
    const auto kafkas = co_await read_file(io, directory + std::string{name});
    const auto ours = co_await read_file(io, directory + std::string{name} + ".copy");
    for (const auto* file : {&kafkas, &ours})
        if (!*file && file->error() != Error::resource_not_found) co_return file->error();
    Checkpoint found;
    if (kafkas) found.text = as_text(*kafkas);
    const auto copy = ours ? text_of_copy(as_text(*ours)) : std::nullopt;
    if (copy) found.epochs = Epochs::from_text(*copy);
    if (found.epochs) {
        found.is_damaged = kafkas && !Epochs::from_text(found.text);
        co_return found;
    }
    found.is_damaged = kafkas && ours;
    if (kafkas) found.epochs = Epochs::from_text(found.text);
    if (!kafkas) found.epochs = Epochs{};
    if (!found.epochs) found.is_damaged = true;
    if (found.is_damaged) found.text.clear();  // To be written anew.
    co_return found;
}

Task<Result<>> write_checkpoint(Io& io, std::string directory, std::string text) {
    const std::string copy = text + hash_line(text), path = directory + std::string{name};
    FilePart ours{path + ".copy", 0, std::vector<uint8_t>(copy.begin(), copy.end())};
    FilePart kafkas{path, 0, std::vector<uint8_t>(text.begin(), text.end())};
    co_return co_await write_two_files(io, std::move(ours), std::move(kafkas));
}

}  // namespace millrace
