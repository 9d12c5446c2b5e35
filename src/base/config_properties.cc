// Java's properties files, as java.util.Properties reads them. Never fails: any text means something.
#include "millrace/config.h"

namespace millrace {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }
bool is_line_end(char c) { return c == '\n' || c == '\r'; }

class PropertiesReader {
 public:
    explicit PropertiesReader(std::string_view text) : text_(text) {}

    std::vector<Property> read() {
        std::vector<Property> properties;
        while (at_ < text_.size()) {
            const int line = line_;
            const std::string logical = next_logical_line();
            if (!logical.empty()) properties.push_back(parse(logical, line));
        }
        return properties;
    }

 private:
    // Up to the line's end, which is passed; without leading blanks.
    std::string_view next_natural_line() {
        while (at_ < text_.size() && is_blank(text_[at_])) at_++;
        const size_t first = at_;
        while (at_ < text_.size() && !is_line_end(text_[at_])) at_++;
        const std::string_view line = text_.substr(first, at_ - first);
        if (at_ < text_.size()) at_ += text_.substr(at_).starts_with("\r\n") ? 2 : 1;
        line_++;
        return line;
    }

    // A line that ends in an odd number of backslashes goes on in the next one; comments do not.
    std::string next_logical_line() {
        std::string_view line = next_natural_line();
        if (line.starts_with('#') || line.starts_with('!')) return {};
        std::string logical(line);
        while (continues(logical)) {
            logical.pop_back();
            if (at_ >= text_.size()) break;
            logical += next_natural_line();
        }
        return logical;
    }

    static bool continues(std::string_view line) {
        size_t backslashes = 0;
        while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') backslashes++;
        return backslashes % 2 == 1;
    }

    static Property parse(std::string_view line, int number) {
        size_t end = 0;  // Of the key: the first separator that is not escaped.
        while (end < line.size() && !is_blank(line[end]) && line[end] != '=' && line[end] != ':')
            end += line[end] == '\\' ? 2 : 1;
        end = std::min(end, line.size());
        size_t value = end;
        while (value < line.size() && is_blank(line[value])) value++;
        if (value < line.size() && (line[value] == '=' || line[value] == ':')) value++;
        while (value < line.size() && is_blank(line[value])) value++;
        return {unescape(line.substr(0, end)), unescape(line.substr(value)), number};
    }

    static std::string unescape(std::string_view text) {
        std::string plain;
        for (size_t i = 0; i < text.size(); i++) {
            if (text[i] != '\\' || i + 1 == text.size()) {
                plain += text[i];
                continue;
            }
            const char c = text[++i];
            if (c == 'u' && append_unicode(plain, text.substr(i + 1))) {
                i += 4;
                continue;
            }
            plain += c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c;
        }
        return plain;
    }

    // Four hexadecimal digits as UTF-8; false when they are not there.
    static bool append_unicode(std::string& out, std::string_view digits) {
        if (digits.size() < 4) return false;
        uint32_t code = 0;
        for (char c : digits.substr(0, 4)) {
            const int digit = c >= '0' && c <= '9'   ? c - '0'
                              : c >= 'a' && c <= 'f' ? c - 'a' + 10
                              : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                     : -1;
            if (digit < 0) return false;
            code = code * 16 + static_cast<uint32_t>(digit);
        }
        if (code < 0x80) {
            out += static_cast<char>(code);
        } else if (code < 0x800) {
            out += static_cast<char>(0xc0 | code >> 6);
            out += static_cast<char>(0x80 | (code & 0x3f));
        } else {
            out += static_cast<char>(0xe0 | code >> 12);
            out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
            out += static_cast<char>(0x80 | (code & 0x3f));
        }
        return true;
    }

    std::string_view text_;
    size_t at_ = 0;
    int line_ = 1;
};

}  // namespace

std::vector<Property> parse_properties(std::string_view text) { return PropertiesReader(text).read(); }

}  // namespace millrace
