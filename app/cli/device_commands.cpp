// SPDX-License-Identifier: Apache-2.0
// `sotto call`, `get` and `watch`.
#include <iostream>

#include <nlohmann/json.hpp>

#include "app/cli/cloud_trial.hpp"
#include "app/cli/deferred.hpp"
#include "app/cli/link_format.hpp"
#include "core/session/limits.hpp"
#include "ports/linux/file.hpp"

namespace sotto::app {
namespace {

constexpr Duration kEventWait = seconds(3'600);

// Everything that a command to a known device needs, in the order in which it is built.
struct Connection {
    keystore::Identity identity;
    DeviceEntry entry;
    std::unique_ptr<DeviceStorage> storage;
    std::unique_ptr<Way> way;
};

Outcome<Connection> connect(const std::string& name, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    Connection connection;
    SOTTO_TRY_ASSIGN(connection.entry, home.find(name));
    SOTTO_TRY_ASSIGN(connection.storage, home.take_session(connection.entry.id));
    SOTTO_TRY_ASSIGN(connection.way,
                     Way::open(job, home, *connection.storage, connection.entry.id));
    SOTTO_TRY_ASSIGN(connection.identity, home.identity_of(connection.entry.id, job.entropy));
    return connection;
}

Device device_of(Connection& connection, const Job& job) {
    return device_over(
        *connection.way, {connection.entry.id, connection.identity, *connection.storage}, job);
}

Outcome<> print_offers(Device& device, Printer& printer) {
    SOTTO_TRY_ASSIGN(const std::string links, device.describe());
    for (const Offer& offer : parse_offers(links))
        printer.result(offer.kind + "  " + offer.name,
                       {{"kind", offer.kind}, {"name", offer.name}});
    return {};
}

Outcome<std::vector<std::string>> events_of(Device& device) {
    SOTTO_TRY_ASSIGN(const std::string links, device.describe());
    std::vector<std::string> events;
    for (const Offer& offer : parse_offers(links)) {
        if (offer.kind == "event") events.push_back(offer.name);
    }
    if (events.empty())
        return Failure{
            Trouble::Refused, "this device has no events", "See what it offers: sotto get DEVICE"};
    return events;
}

void print(const std::string& text, const nlohmann::json& json, bool is_raw, Printer& printer) {
    if (is_raw) {
        printer.raw_result(text, json);
    } else {
        printer.result(text, json);
    }
}

Failure argument_failure(const std::string& file, const std::string& why) {
    return {
        Trouble::Usage,
        "the argument cannot be read from " + (file == "-" ? "standard input" : file) + ": " + why,
        "Name a file of at most " + std::to_string(session::kBodySizeMax) + " bytes"};
}

Outcome<std::string> argument_of(const CallCommand& command) {
    if (command.file.empty()) return command.argument;
    if (command.file == "-") {
        std::string text(session::kBodySizeMax + 1, '\0');
        std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(std::cin.gcount()));
        if (text.size() > session::kBodySizeMax)
            return argument_failure(command.file, "it is too long");
        return text;
    }
    const auto content = ports::read_file(command.file, session::kBodySizeMax);
    if (!content) return argument_failure(command.file, content.error().detail);
    return std::string{as_text(*content)};
}

}  // namespace

namespace {

Outcome<> call_now(const CallCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(Connection connection, connect(command.device, job));
    Device device = device_of(connection, job);
    SOTTO_TRY_ASSIGN(const std::string result, device.call(command.function, command.argument));
    print(result, {{"result", result}}, command.is_raw, job.printer);
    return {};
}

}  // namespace

Outcome<> run(const CallCommand& command, const Job& job) {
    if (command.within && job.settings.is_local)
        return Failure{Trouble::Usage,
                       "only a cloud can keep a call for later",
                       "Leave out --within, or --local"};
    CallCommand whole = command;  // what comes from a file is read once
    SOTTO_TRY_ASSIGN(whole.argument, argument_of(command));
    const Outcome<> called = call_now(whole, job);
    const bool may_wait =
        !called && command.within &&
        (called.error().trouble == Trouble::Away || called.error().trouble == Trouble::Unreachable);
    return may_wait ? call_later(whole, job) : called;
}

Outcome<> run(const GetCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(Connection connection, connect(command.device, job));
    Device device = device_of(connection, job);
    if (command.variable.empty()) return print_offers(device, job.printer);
    SOTTO_TRY_ASSIGN(const std::string value, device.get(command.variable));
    print(value, {{"value", value}}, command.is_raw, job.printer);
    return {};
}

Outcome<> run(const WatchCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(Connection connection, connect(command.device, job));
    Device device = device_of(connection, job);
    std::vector<std::string> events{command.event};
    if (command.event.empty()) {
        SOTTO_TRY_ASSIGN(events, events_of(device));
    }
    for (const std::string& event : events) SOTTO_TRY(device.watch(event));
    job.printer.note("watching " + command.device + "; Ctrl-C ends it");
    for (std::uint32_t count = 0; !command.count || count < *command.count;) {
        SOTTO_TRY_ASSIGN(const std::optional<Notification> event, device.next_event(kEventWait));
        if (!event) continue;
        job.printer.result(event->event + "  " + event->payload,
                           {{"event", event->event}, {"payload", event->payload}});
        ++count;
    }
    return {};
}

}  // namespace sotto::app
