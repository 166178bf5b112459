// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/status.hpp"

#include <filesystem>
#include <sstream>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cloud/server/admin_port.hpp"
#include "cloud/server/keys.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::server {

using nlohmann::json;
using ports::Failure;
using ports::Outcome;
using store_sqlite::Database;

const char* const kVersion = SOTTO_VERSION;

namespace {

std::int64_t seconds_since_1970(Instant at) { return (at - Instant{}).ms / 1'000; }

// From a connection of our own, for the cloud has better things to do.
json read_database(const std::string& state) {
    const auto database =
        Database::open(state + "/" + kDatabaseName, Database::Mode::OpenToRead, seconds(2));
    if (!database) return nullptr;
    const auto number = [&](const char* sql) {
        const auto text = (*database)->text_of(sql);
        return text ? json::parse(*text) : json{};
    };
    return {{"schema", number("PRAGMA user_version")},
            {"bytes", size_of_database(state)},
            {"accounts", number("SELECT count(*) FROM accounts")},
            {"devices", number("SELECT count(*) FROM devices")},
            {"letters", number("SELECT count(*) FROM letters")},
            {"letter_bytes", number("SELECT coalesce(sum(size), 0) FROM letters")}};
}

std::string time_of(std::int64_t total_s) {
    const auto part = [](std::int64_t value, const char* unit) {
        return std::to_string(value) + " " + unit;
    };
    const std::int64_t minutes = total_s / 60;
    if (minutes == 0) return part(total_s, "s");
    if (minutes < 60) return part(minutes, "min");
    if (minutes < 1'440) return part(minutes / 60, "h ") + part(minutes % 60, "min");
    return part(minutes / 1'440, "d ") + part(minutes / 60 % 24, "h");
}

std::string date_of(std::int64_t seconds_1970) {
    const std::time_t time = seconds_1970;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
    return text.data();
}

std::string text_of(const json& status) {
    std::ostringstream text;
    const json& here = status["connected"];
    const json& database = status["database"];
    text << "sotto-cloud " << status["version"].get<std::string>() << ", process "
         << status["process"] << ", up " << time_of(status["uptime_s"].get<std::int64_t>()) << "\n"
         << "apps       " << here["apps"] << " connected, at " << status["http"].get<std::string>()
         << "\n"
         << "gateways   " << here["gateways"] << " signed in, at "
         << status["devices"].get<std::string>() << "\n"
         << "devices    " << here["devices"] << " attached";
    if (!database.is_null()) {
        text << ", " << database["devices"] << " registered\n"
             << "mailboxes  " << database["letters"] << " messages, " << database["letter_bytes"]
             << " bytes\n"
             << "database   " << database["bytes"] << " bytes, schema " << database["schema"];
    }
    text << "\n";
    if (const json& place = status["particle"]; place.is_string())
        text << "legacy     " << here["legacy_devices"] << " connected, at "
             << place.get<std::string>() << "\n";
    if (const json& expires = status["certificate_expires_s"]; !expires.is_null())
        text << "TLS        certificate expires " << date_of(expires.get<std::int64_t>()) << "\n";
    if (const json& failures = status["store_failures"]; failures != 0)
        text << "trouble    " << failures << " transactions failed: sotto-cloud doctor says why\n";
    return text.str();
}

}  // namespace

std::string render_status(const http::Numbers& numbers, const Places& places, Instant now) {
    json status{{"version", numbers.version},
                {"process", ::getpid()},
                {"started_s", seconds_since_1970(numbers.started_at)},
                {"uptime_s", (now - numbers.started_at).ms / 1'000},
                {"http", places.http},
                {"devices", places.devices},
                {"particle", places.particle.empty() ? json{} : json(places.particle)},
                {"metrics", places.metrics.empty() ? json{} : json(places.metrics)},
                {"connected",
                 {{"gateways", numbers.census.gateways},
                  {"apps", numbers.census.apps},
                  {"devices", numbers.census.attached},
                  {"legacy_devices", numbers.legacy_devices},
                  {"streams", numbers.event_streams}}},
                {"store_failures", numbers.store.failures},
                {"certificate_expires_s", json{}}};
    if (numbers.certificate_expires_s != 0)
        status["certificate_expires_s"] = numbers.certificate_expires_s;
    return status.dump();
}

std::uint64_t size_of_database(const std::string& state) {
    std::uint64_t size = 0;
    for (const char* end : {"", "-wal"}) {
        std::error_code none;
        const auto bytes = std::filesystem::file_size(state + "/" + kDatabaseName + end, none);
        if (!none) size += bytes;
    }
    return size;
}

Outcome<std::string> status(const StatusCommand& command) {
    SOTTO_TRY_ASSIGN(const std::string answer, ask_running_cloud(command.state, "/status"));
    json status = json::parse(answer, nullptr, false);
    if (status.is_discarded())
        return Failure{Error::Malformed, "the cloud in " + command.state + " answers nonsense"};
    status["database"] = read_database(command.state);
    return command.json ? status.dump() + "\n" : text_of(status);
}

}  // namespace sotto::cloud::server
