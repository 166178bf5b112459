// SPDX-License-Identifier: Apache-2.0
// Diagnostics of a device: what the cloud knows of its connection, measured when it is asked for.
// They are kept while this runs.
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_find.hpp"
#include "cloud/http/rest_replies.hpp"

namespace sotto::cloud::http {

using nlohmann::json;

namespace {

constexpr const char* kEvent = "spark/device/diagnostics/update";

json told(const model::DeviceId& id, const Diagnosis& diagnosis) {
    const services::OpenDevices::Tally& tally = diagnosis.tally;
    json cloud{{"uptime", (diagnosis.at - diagnosis.connected_at).ms / 1'000},
               {"connections", tally.connections},
               {"disconnects", tally.disconnections},
               {"publish", {{"sent", tally.events}}}};
    if (tally.disconnected_at != Instant{})
        cloud["last_disconnect_at"] = to_iso(tally.disconnected_at.ms);
    return {{"deviceID", to_hex<std::string>(id)},
            {"updated_at", to_iso(diagnosis.at.ms)},
            {"payload",
             {{"device",
               {{"system",
                 {{"firmware_version", diagnosis.firmware_version},
                  {"system_version", diagnosis.system_version}}},
                {"network", {{"address", diagnosis.address}}}}},
              {"service",
               {{"device", {{"status", "ok"}}},
                {"coap", {{"round_trip", diagnosis.round_trip.ms}}},
                {"cloud", std::move(cloud)}}}}}};
}

std::string key_of(const Call& call, const model::DeviceId& id) {
    return std::to_string(call.access.account.value()) + "/" + to_hex<std::string>(id);
}

}  // namespace

// The device answers a ping; how long that takes is the first thing that there is to know.
void Rest::diagnose(const CallPtr& call) {
    find_open_device(call, [this, call](const Target& target) {
        if (target.line == nullptr)
            return call->done(rest_refusal(services::DeviceError::NotConnected, "Device"));
        const services::DeviceAttributes& attributes = target.line->attributes();
        Diagnosis diagnosis{.at = config_.now(),
                            .connected_at = attributes.connected_at,
                            .tally = devices_.tally_of(target.id),
                            .address = attributes.address,
                            .system_version = attributes.system_version,
                            .firmware_version = attributes.firmware_version};
        target.line->ping([this, call, id = target.id, diagnosis](
                              const Result<void, services::DeviceError>& answered) mutable {
            if (!answered) return call->done(rest_refusal(answered.error(), "Device"));
            const Instant asked_at = std::exchange(diagnosis.at, config_.now());
            diagnosis.round_trip = diagnosis.at - asked_at;
            auto& history = diagnoses_.at(key_of(*call, id));
            history.push_front(diagnosis);
            if (history.size() > kDiagnosesMax) history.pop_back();
            devices_.tell_of(id,
                             call->access.account,
                             {.name = kEvent, .data = told(id, diagnosis)["payload"].dump()});
            call->done(rest_reply({{"ok", true}}));
        });
    });
}

template <class Function>
void Rest::with_diagnoses(const CallPtr& call, Function function) {
    find_open_device(call, [this, call, function](const Target& target) {
        const auto* const history = diagnoses_.find(key_of(*call, target.id));
        function(target.id, history != nullptr ? *history : std::deque<Diagnosis>{});
    });
}

void Rest::list_diagnoses(const CallPtr& call) {
    with_diagnoses(call, [call](const model::DeviceId& id, const std::deque<Diagnosis>& history) {
        json list = json::array();
        for (const Diagnosis& diagnosis : history) list.push_back(told(id, diagnosis));
        call->done(rest_reply({{"diagnostics", list}}));
    });
}

void Rest::get_last_diagnosis(const CallPtr& call) {
    with_diagnoses(call, [call](const model::DeviceId& id, const std::deque<Diagnosis>& history) {
        if (history.empty())
            return call->done(rest_refusal(
                404, "not_found", "Nothing was found out yet: POST /v1/diagnostics/DEVICE/update"));
        call->done(rest_reply({{"diagnostics", told(id, history.front())}}));
    });
}

void Rest::get_diagnosis_metadata(const CallPtr& call) {
    const auto number = [](const char* title, const char* unit) {
        return json{{"title", title}, {"type", "integer"}, {"units", unit}};
    };
    call->done(
        rest_reply({{"diagnostics_metadata",
                     {{"service",
                       {{"coap", {{"round_trip", number("Answer to a ping", "milliseconds")}}},
                        {"cloud",
                         {{"uptime", number("Time connected", "seconds")},
                          {"connections", number("Connections since the cloud started", "")},
                          {"disconnects", number("Ends of connections since then", "")},
                          {"publish", {{"sent", number("Events since then", "")}}}}}}}}}}));
}

}  // namespace sotto::cloud::http
