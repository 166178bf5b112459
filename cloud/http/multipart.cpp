// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/multipart.hpp"

#include <algorithm>
#include <optional>

namespace sotto::cloud::http {

namespace {

constexpr std::string_view kType = "multipart/form-data";
constexpr std::size_t kBoundarySizeMax = 70;  // RFC 2046 §5.1.1
constexpr std::string_view kLine = "\r\n";

bool is_same_word(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// The value of `name=` among the parameters behind the first semicolon: a word, or text in quotes,
// in which a backslash keeps the next character and browsers write %22 for a quote.
std::optional<std::string> parameter_of(std::string_view header, std::string_view name) {
    for (std::size_t at = header.find(';'); at != std::string_view::npos;) {
        header.remove_prefix(at + 1);
        const std::size_t equals = header.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const bool is_it = is_same_word(trim(header.substr(0, equals)), name);
        header.remove_prefix(equals + 1);
        header = trim(header);
        std::string value;
        std::size_t end = 0;
        if (header.starts_with('"')) {
            for (end = 1; end < header.size() && header[end] != '"'; ++end) {
                if (header[end] == '\\' && end + 1 < header.size()) ++end;
                value += header[end];
            }
            if (end == header.size()) return std::nullopt;
        } else {
            end = std::min(header.find(';'), header.size());
            value = trim(header.substr(0, end));
        }
        if (is_it) return value;
        at = header.find(';', end);
    }
    return std::nullopt;
}

// Of the part; `is_file` says whether there was a file name, be it an empty one.
bool read_disposition(std::string_view header, Part& part) {
    if (!is_same_word(trim(header.substr(0, header.find(';'))), "form-data")) return false;
    const auto name = parameter_of(header, "name");
    if (!name) return false;
    part.name = *name;
    if (const auto file = parameter_of(header, "filename")) {
        part.is_file = true;
        part.file_name = *file;
    }
    return true;
}

// Its header lines, without the empty one behind them.
bool read_header(std::string_view lines, Part& part) {
    bool is_found = false;
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find(kLine));
        lines.remove_prefix(std::min(line.size() + kLine.size(), lines.size()));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return false;
        if (!is_same_word(trim(line.substr(0, colon)), "content-disposition")) continue;
        if (is_found || !read_disposition(trim(line.substr(colon + 1)), part)) return false;
        is_found = true;
    }
    return is_found;
}

}  // namespace

bool is_multipart(std::string_view content_type) {
    return is_same_word(trim(content_type.substr(0, content_type.find(';'))), kType);
}

Result<std::vector<Part>> parse_multipart(std::string_view content_type, std::string_view body) {
    const auto boundary = parameter_of(content_type, "boundary");
    if (!is_multipart(content_type) || !boundary || boundary->empty() ||
        boundary->size() > kBoundarySizeMax)
        return Error::Malformed;
    const std::string delimiter = "\r\n--" + *boundary;
    std::vector<Part> parts;
    // The first one has no line before it if nothing is before it.
    if (body.starts_with(std::string_view{delimiter}.substr(kLine.size()))) {
        body.remove_prefix(delimiter.size() - kLine.size());
    } else {
        const std::size_t first = body.find(delimiter);
        if (first == std::string_view::npos) return Error::Truncated;
        body.remove_prefix(first + delimiter.size());
    }
    for (;;) {
        if (body.starts_with("--")) return parts;
        while (body.starts_with(' ') || body.starts_with('\t')) body.remove_prefix(1);
        if (body.size() < kLine.size()) return Error::Truncated;
        if (!body.starts_with(kLine)) return Error::Malformed;
        if (parts.size() == kPartsMax) return Error::TooLarge;
        body.remove_prefix(kLine.size());
        const std::size_t header_size = body.substr(0, kPartHeaderSizeMax + 4).find("\r\n\r\n");
        if (header_size == std::string_view::npos)
            return body.size() > kPartHeaderSizeMax ? Error::Malformed : Error::Truncated;
        Part part;
        if (!read_header(body.substr(0, header_size), part)) return Error::Malformed;
        body.remove_prefix(header_size + kLine.size());  // the next boundary may follow at once
        const std::size_t end = body.find(delimiter);
        if (end == std::string_view::npos) return Error::Truncated;
        if (end >= kLine.size()) part.content = body.substr(kLine.size(), end - kLine.size());
        body.remove_prefix(end + delimiter.size());
        parts.push_back(std::move(part));
    }
}

}  // namespace sotto::cloud::http
