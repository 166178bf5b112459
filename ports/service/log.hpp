// SPDX-License-Identifier: Apache-2.0
// A log for machines and people: one line for each event, with its name and its fields, on standard
// error. No payload and no secret belongs into one. Allocates; blocks as long as standard error
// does. For one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/base/token_bucket.hpp"

namespace sotto::ports {

enum class LogLevel : std::uint8_t { Debug, Info, Warn, Error };
enum class LogFormat : std::uint8_t { Text, Json };

// One of debug, info, warn, error; Info for anything else. Settings are checked before.
LogLevel parse_log_level(std::string_view text);
LogFormat parse_log_format(std::string_view text);
inline constexpr const char* kLogLevels[] = {"debug", "info", "warn", "error"};
inline constexpr const char* kLogFormats[] = {"text", "json"};

struct LogField {
    LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
    template <class T>
        requires std::is_integral_v<T>
    LogField(std::string_view field, T number)
        : name(field), value(std::to_string(number)), is_number(true) {}

    std::string name;
    std::string value;
    bool is_number = false;
};
using LogFields = std::initializer_list<LogField>;

// Of one kind of event no more is written than this; the next line of it says how many were not.
inline constexpr Rate kLogRate{.burst = 100, .refill = seconds(1)};

class Log {
  public:
    struct Setup {
        LogLevel level = LogLevel::Info;
        LogFormat format = LogFormat::Text;
        std::function<void(std::string_view line)> write;  // whole lines
        std::function<Instant()> now;                      // since 1970
    };
    // To standard error, by the clock of the system.
    Log(LogLevel level, LogFormat format);
    explicit Log(Setup setup) : setup_(std::move(setup)) {}

    // `event` is a name, such as device-attached.
    void debug(std::string_view event, LogFields fields = {}) {
        write(LogLevel::Debug, event, fields);
    }
    void info(std::string_view event, LogFields fields = {}) {
        write(LogLevel::Info, event, fields);
    }
    void warn(std::string_view event, LogFields fields = {}) {
        write(LogLevel::Warn, event, fields);
    }
    void error(std::string_view event, LogFields fields = {}) {
        write(LogLevel::Error, event, fields);
    }
    void write(LogLevel level, std::string_view event, LogFields fields);

  private:
    struct Tally {
        TokenBucket bucket;
        std::uint64_t left_out = 0;
    };

    Setup setup_;
    std::map<std::string, Tally, std::less<>> tallies_;  // by event: these are literals
};

}  // namespace sotto::ports
