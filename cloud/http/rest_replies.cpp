// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/rest_replies.hpp"

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"

namespace sotto::cloud::http {

using nlohmann::json;
using services::DeviceError;

Reply rest_reply(const json& body, unsigned status) {
    return {.status = status, .body = body.dump(-1, ' ', true, json::error_handler_t::replace)};
}

Reply rest_refusal(unsigned status, const char* error, std::string description) {
    return rest_reply(
        {{"ok", false}, {"error", error}, {"error_description", std::move(description)}}, status);
}

Reply invalid_request(std::string what) {
    return rest_refusal(400, "invalid_request", std::move(what));
}

const char* name_of(services::ValueType type) {
    constexpr const char* kNames[] = {"bool", "int32", "double", "string"};
    return kNames[static_cast<std::size_t>(type)];
}

json time_of(Instant at) { return at == Instant{} ? json() : json(to_iso(at.ms)); }

json object_in(const Call& call) {
    json given = json::parse(call.request.body, nullptr, false);
    if (given.is_object()) return given;
    given = json::object();
    for (const auto& [name, value] : call.body) given[name] = value;
    return given;
}

Reply rest_failure(Error error) {
    if (error == Error::NotFound)
        return rest_refusal(404, "not_found", "There is no such thing in this account");
    if (error == Error::Busy)
        return rest_refusal(503, "busy", "The cloud has more to do than it can; try again");
    return rest_refusal(500, "server_error", "The cloud failed and nothing was done");
}

Reply rest_refusal(DeviceError error, const std::string& what) {
    switch (error) {
        case DeviceError::NotConnected:
            return rest_refusal(408, "not_connected", "Timed out: the device is not connected");
        case DeviceError::TimedOut:
            return rest_refusal(408, "timed_out", "Timed out: the device did not answer");
        case DeviceError::NoSuch:
            return rest_refusal(404, "not_found", what + " not found");
        case DeviceError::Sealed:
            return rest_refusal(
                403,
                "sealed",
                "Permission denied: " + what +
                    " is sealed end to end, and this "
                    "cloud has no key to it. Use the sotto app or command, or let the "
                    "owner open it to the cloud: sotto open");
        case DeviceError::TooLarge:
            return rest_refusal(400, "too_large", what + ": the device takes less than that");
        case DeviceError::Busy:
            return rest_refusal(503, "busy", "Too much is under way to the device; try again");
        case DeviceError::Refused:
            return rest_refusal(400, "refused", what + ": the device refused");
    }
    return rest_failure(Error::StorageFailed);
}

Reply rest_refusal(const services::UpdateFailure& failure) {
    struct Kind {
        unsigned status;
        const char* error;
    };
    constexpr Kind kKinds[services::kUpdateErrorCount] = {{408, "not_connected"},
                                                          {400, "wrong_firmware"},
                                                          {400, "too_large"},
                                                          {409, "update_under_way"},
                                                          {400, "refused"},
                                                          {408, "interrupted"},
                                                          {502, "update_failed"},
                                                          {501, "not_supported"}};
    const Kind& kind = kKinds[static_cast<std::size_t>(failure.error)];
    return rest_refusal(kind.status, kind.error, "Not updated: " + failure.why);
}

Reply upload_stopped() { return rest_refusal(400, "incomplete_upload", kUploadStopped); }

Reply too_many_streams() {
    return rest_refusal(429, "too_many_streams", "This user has 100 streams open; close one");
}

Reply too_many_log_ins() {
    return rest_refusal(
        429, "too_many_attempts", "Too many attempts to log in; wait half an hour and try again");
}

void allow_other_origins(Reply& reply) {
    reply.headers.emplace_back("Access-Control-Allow-Origin", "*");
    if (reply.status != 204) return;
    reply.headers.emplace_back("Access-Control-Allow-Methods",
                               "GET, POST, PUT, PATCH, DELETE, OPTIONS");
    reply.headers.emplace_back(
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Last-Event-ID, X-Particle-Tool, X-Particle-Project");
    reply.headers.emplace_back("Access-Control-Max-Age", "86400");
}

}  // namespace sotto::cloud::http
