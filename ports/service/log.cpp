// SPDX-License-Identifier: Apache-2.0
#include "ports/service/log.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <unistd.h>
#include <utility>
#include <vector>

#include "ports/service/quote.hpp"

namespace sotto::ports {
namespace {

template <std::size_t N>
std::size_t index_of(const char* const (&names)[N], std::string_view text, std::size_t other) {
    for (std::size_t i = 0; i < N; ++i)
        if (names[i] == text) return i;
    return other;
}

std::string timestamp(Instant now) {
    const std::time_t whole = now.ms / 1'000;
    std::tm parts{};
    ::gmtime_r(&whole, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    const std::string fraction = std::to_string(1'000 + now.ms % 1'000).substr(1);
    return std::string{text.data()} + "." + fraction + "Z";
}

bool is_plain(std::string_view text) {
    const auto fits = [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '='; };
    return !text.empty() && std::ranges::all_of(text, fits);
}

using Fields = std::vector<LogField>;

std::string as_json(const std::string& time,
                    const char* level,
                    std::string_view event,
                    const Fields& fields) {
    std::string line = R"({"time":")" + time + R"(","level":")" + level + R"(","event":)";
    line += quote(event);
    for (const LogField& field : fields)
        line +=
            "," + quote(field.name) + ":" + (field.is_number ? field.value : quote(field.value));
    return line + "}\n";
}

std::string as_text(const std::string& time,
                    const char* level,
                    std::string_view event,
                    const Fields& fields) {
    std::string line = time + " " + level + " " + std::string{event};
    for (const LogField& field : fields)
        line += " " + field.name + "=" + (is_plain(field.value) ? field.value : quote(field.value));
    return line + "\n";
}

void write_to_standard_error(std::string_view line) {
    while (!line.empty()) {
        const ssize_t count = ::write(STDERR_FILENO, line.data(), line.size());
        if (count <= 0) return;  // nobody can be told
        line.remove_prefix(static_cast<std::size_t>(count));
    }
}

Instant system_time() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return Instant{} +
           milliseconds(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

}  // namespace

LogLevel parse_log_level(std::string_view text) {
    return static_cast<LogLevel>(index_of(kLogLevels, text, 1));
}

LogFormat parse_log_format(std::string_view text) {
    return static_cast<LogFormat>(index_of(kLogFormats, text, 0));
}

Log::Log(LogLevel level, LogFormat format)
    : Log(Setup{
          .level = level, .format = format, .write = write_to_standard_error, .now = system_time}) {
}

void Log::write(LogLevel level, std::string_view event, LogFields fields) {
    if (level < setup_.level) return;
    const Instant now = setup_.now();
    auto tally = tallies_.find(event);
    if (tally == tallies_.end())
        tally = tallies_.emplace(std::string{event}, Tally{TokenBucket{kLogRate, now}}).first;
    if (!tally->second.bucket.take(now)) {
        ++tally->second.left_out;
        return;
    }
    Fields all{fields};
    if (const std::uint64_t left_out = std::exchange(tally->second.left_out, 0); left_out > 0)
        all.emplace_back("left-out", left_out);
    const char* name = kLogLevels[static_cast<std::size_t>(level)];
    const bool is_json = setup_.format == LogFormat::Json;
    setup_.write((is_json ? as_json : as_text)(timestamp(now), name, event, all));
}

}  // namespace sotto::ports
