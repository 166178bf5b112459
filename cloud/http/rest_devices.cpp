// SPDX-License-Identifier: Apache-2.0
// Devices, their functions and variables, and whose they become.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_find.hpp"
#include "cloud/http/rest_replies.hpp"
#include "core/base/hex.hpp"
#include "core/framing/text.hpp"

namespace sotto::cloud::http {

using nlohmann::json;
using services::DeviceError;

namespace {

constexpr std::size_t kClaimCodeBytes = 48;
constexpr std::size_t kClaimCodeSize = 63;  // devices know no other

json json_of(const services::Value& value) {
    return std::visit([](const auto& held) { return json(held); }, value);
}

std::string text_of(const services::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return json_of(value).dump();
}

json sealed_summary(const model::DeviceId& device, bool is_connected) {
    const std::string id = to_hex<std::string>(device);
    return {{"id", id},
            {"name", id},
            {"notes", ""},
            {"last_ip_address", ""},
            {"last_heard", json()},
            {"last_handshake_at", json()},
            {"product_id", 0},
            {"platform_id", 0},
            {"connected", is_connected},
            {"online", is_connected},
            {"cellular", false},
            {"status", "normal"},
            {"sealed", true}};
}

}  // namespace

json device_summary(const model::OpenDeviceRecord& record, const services::OpenDevice* line) {
    const model::DeviceTraces traces = line ? traces_of(line->attributes()) : record.traces;
    const std::string id = to_hex<std::string>(record.device);
    const bool is_connected = line != nullptr;
    return {{"id", id},
            {"name", record.name.empty() ? id : record.name},
            {"notes", record.notes},
            {"last_ip_address", traces.address},
            {"last_heard", time_of(traces.heard_at)},
            {"last_handshake_at", time_of(traces.connected_at)},
            {"product_id", traces.product_id},
            {"platform_id", traces.platform_id},
            {"firmware_version", traces.firmware_version},
            {"system_firmware_version", traces.system_version},
            {"connected", is_connected},
            {"online", is_connected},
            {"cellular", false},
            {"status", "normal"},
            {"sealed", false}};
}

model::DeviceTraces traces_of(const services::DeviceAttributes& attributes) {
    return {.heard_at = attributes.heard_at,
            .connected_at = attributes.connected_at,
            .address = attributes.address,
            .platform_id = attributes.platform_id,
            .product_id = attributes.product_id,
            .firmware_version = attributes.firmware_version,
            .system_version = attributes.system_version};
}

// A device in the list of a product is of that, whatever its firmware says.
void Rest::tell_product(json& body, model::AccountId account, const model::DeviceId& id) const {
    const services::Product* const product =
        config_.fleet != nullptr ? config_.fleet->product_of(account, id) : nullptr;
    if (product != nullptr) body["product_id"] = product->record.id.value();
}

void Rest::list_devices(const CallPtr& call) {
    store_.list_open_devices(
        call->access.account,
        [this, call](const Result<std::vector<model::OpenDeviceRecord>>& records) {
            if (!records) return call->done(rest_failure(records.error()));
            const auto list = std::make_shared<json>(json::array());
            const auto open = std::make_shared<std::set<model::DeviceId>>();
            for (const model::OpenDeviceRecord& record : *records) {
                list->push_back(
                    device_summary(record, devices_.find(record.device, call->access.account)));
                tell_product(list->back(), call->access.account, record.device);
                open->insert(record.device);
            }
            store_.list_devices(
                call->access.account,
                [this, call, list, open](const Result<std::vector<model::Registration>>& devices) {
                    if (!devices) return call->done(rest_failure(devices.error()));
                    for (const model::Registration& device : *devices) {
                        if (open->contains(device.device)) continue;  // something of it is
                        const bool is_connected = config_.is_sealed_connected(device.device);
                        list->push_back(sealed_summary(device.device, is_connected));
                    }
                    call->done(rest_reply(*list));
                });
        });
}

void Rest::get_device(const CallPtr& call) {
    find_device(call, [this, call](const Target& target) {
        json body = target.is_sealed
                        ? sealed_summary(target.id, config_.is_sealed_connected(target.id))
                        : device_summary(target.record, target.line);
        tell_product(body, call->access.account, target.id);
        body["functions"] = json::array();
        body["variables"] = json::object();
        if (config_.updates != nullptr) {
            if (const auto update = config_.updates->find(target.id, call->access.account))
                body["update"] = {{"taken", update->taken},
                                  {"size", update->size},
                                  {"tries", update->tries},
                                  {"waiting", update->is_waiting}};
        }
        if (target.line != nullptr) {
            const services::DeviceAttributes& attributes = target.line->attributes();
            body["functions"] = attributes.functions;
            for (const auto& [name, type] : attributes.variables)
                body["variables"][name] = name_of(type);
        }
        call->done(rest_reply(body));
    });
}

void Rest::claim_device(const CallPtr& call) {
    if (call->field("id").empty() && call->body.contains("product_id"))
        return call->done(rest_refusal(
            501, "not_implemented", "This cloud makes no ids of devices: each has its own"));
    model::DeviceId id{};
    if (!from_hex(call->field("id"), id))
        return call->done(
            rest_refusal(400, "invalid_request", "The id of a device has 24 digits of hex"));
    store_.find_open_device(
        id, [this, call, id](const Result<std::optional<model::OpenDeviceRecord>>& record) {
            if (!record) return call->done(rest_failure(record.error()));
            // It proved its key; whoever is first to claim it has it.
            if (!*record && !devices_.is_connected(id))
                return call->done(rest_refusal(
                    404, "device_not_found", "A device must be connected to be claimed"));
            const auto on_claimed = [this, call, id](
                                        const Result<model::OpenDeviceRecord>& claimed) {
                const std::string text = to_hex<std::string>(id);
                if (!claimed && claimed.error() == Error::Refused) {
                    audit(*call, "device-claim", text, "refused");
                    return call->done(rest_refusal(403,
                                                   "forbidden",
                                                   "The device belongs to another user, who can "
                                                   "release it; it cannot be transferred here"));
                }
                if (!claimed) return call->done(rest_failure(claimed.error()));
                devices_.set_owner(id, call->access.account);
                audit(*call, "device-claim", text, "done");
                call->done(rest_reply({{"id", text},
                                       {"ok", true},
                                       {"connected", devices_.is_connected(id)},
                                       {"user_id", call->access.user}}));
            };
            store_.claim_open_device(id, call->access.account, config_.now(), on_claimed);
        });
}

void Rest::change_device(const CallPtr& call) {
    if (!call->files.empty()) return flash_device(call);
    if (call->body.contains("signal")) return signal_device(call);
    model::DeviceChanges changes;
    if (call->body.contains("name")) changes.name = call->field("name");
    if (call->body.contains("notes")) changes.notes = call->field("notes");
    if (!changes.name && !changes.notes)
        return call->done(
            rest_refusal(400, "invalid_request", "What can be changed: name, notes, signal"));
    const bool is_name =
        !changes.name || (!changes.name->empty() && changes.name->size() <= kDeviceNameSizeMax &&
                          framing::is_printable_utf8(*changes.name));
    if (!is_name || (changes.notes && changes.notes->size() > kNotesSizeMax))
        return call->done(rest_refusal(400,
                                       "invalid_request",
                                       "A name has 1 to 64 printable characters, notes have 1,024 "
                                       "bytes at most"));
    find_open_device(call, [this, call, changes](const Target& target) {
        store_.update_open_device(
            call->access.account,
            target.id,
            changes,
            [this, call](const Result<model::OpenDeviceRecord>& record) {
                if (!record) return call->done(rest_failure(record.error()));
                const std::string id = to_hex<std::string>(record->device);
                audit(*call, "device-change", id, "done");
                call->done(rest_reply({{"id", id},
                                       {"name", record->name},
                                       {"notes", record->notes},
                                       {"ok", true},
                                       {"updated_at", to_iso(config_.now().ms)}}));
            });
    });
}

void Rest::signal_device(const CallPtr& call) {
    const std::string signal = call->field("signal");
    const bool is_on = signal == "1" || signal == "true";
    if (!is_on && signal != "0" && signal != "false")
        return call->done(rest_refusal(400, "invalid_request", "signal is 1 or 0"));
    find_open_device(call, [call, is_on](const Target& target) {
        if (target.line == nullptr)
            return call->done(rest_refusal(DeviceError::NotConnected, "Signal"));
        const std::string id = to_hex<std::string>(target.id);
        target.line->signal(is_on, [call, id, is_on](const Result<void, DeviceError>& done) {
            if (!done) return call->done(rest_refusal(done.error(), "Signal"));
            call->done(rest_reply({{"id", id}, {"connected", true}, {"signaling", is_on}}));
        });
    });
}

void Rest::release_device(const CallPtr& call) {
    find_open_device(call, [this, call](const Target& target) {
        store_.release_open_device(
            call->access.account, target.id, [this, call, id = target.id](const Status& released) {
                if (!released) return call->done(rest_failure(released.error()));
                devices_.set_owner(id, std::nullopt);
                if (config_.on_released) config_.on_released(id);
                audit(*call, "device-release", to_hex<std::string>(id), "done");
                call->done(rest_reply({{"ok", true}}));
            });
    });
}

void Rest::ping_device(const CallPtr& call) {
    find_open_device(call, [call](const Target& target) {
        if (target.line == nullptr)
            return call->done(rest_reply({{"online", false}, {"ok", true}}));
        target.line->ping([call](const Result<void, DeviceError>& answered) {
            // A device that is updated is there, and has no time.
            const bool is_online = answered || answered.error() == DeviceError::Busy;
            call->done(rest_reply({{"online", is_online}, {"ok", true}}));
        });
    });
}

void Rest::read_variable(const CallPtr& call) {
    find_open_device(call, [this, call](const Target& target) {
        const std::string& name = call->places[1];
        if (target.line == nullptr)
            return call->done(rest_refusal(DeviceError::NotConnected, "Variable"));
        target.line->read(
            name, [this, call, id = target.id](const Result<services::Value, DeviceError>& value) {
                if (!value)
                    return call->done(rest_refusal(value.error(), "Variable " + call->places[1]));
                if (call->field("format") == "raw")
                    return call->done(
                        Reply{.status = 200, .body = text_of(*value), .type = "text/plain"});
                const services::OpenDevice* line = devices_.find(id, call->access.account);
                const Instant connected_at =
                    line != nullptr ? line->attributes().connected_at : Instant{};
                call->done(rest_reply({{"cmd", "VarReturn"},
                                       {"name", call->places[1]},
                                       {"result", json_of(*value)},
                                       {"coreInfo",
                                        {{"name", ""},
                                         {"deviceID", to_hex<std::string>(id)},
                                         {"connected", line != nullptr},
                                         {"last_handshake_at", time_of(connected_at)}}}}));
            });
    });
}

void Rest::call_function(const CallPtr& call) {
    find_open_device(call, [call](const Target& target) {
        if (target.line == nullptr)
            return call->done(rest_refusal(DeviceError::NotConnected, "Function"));
        const std::string args = call->body.contains("args")  ? call->field("args")
                                 : call->body.contains("arg") ? call->field("arg")
                                                              : call->field("params");
        const std::string& name = call->places[1];
        target.line->call(
            name, args, [call, id = target.id](const Result<services::Value, DeviceError>& value) {
                const std::string& called = call->places[1];
                if (!value) return call->done(rest_refusal(value.error(), "Function " + called));
                if (call->field("format") == "raw")
                    return call->done(
                        Reply{.status = 200, .body = text_of(*value), .type = "text/plain"});
                call->done(rest_reply({{"id", to_hex<std::string>(id)},
                                       {"name", called},
                                       {"connected", true},
                                       {"return_value", json_of(*value)}}));
            });
    });
}

void Rest::make_claim_code(const CallPtr& call) {
    std::array<std::uint8_t, kClaimCodeBytes> bytes{};
    if (!config_.draw(bytes)) return call->done(rest_failure(Error::EntropyFailed));
    const std::string code = base64_encode(as_text(bytes)).substr(0, kClaimCodeSize);
    const Instant now = config_.now();
    store_.create_claim_code(
        {.hash = config_.hash_token(code),
         .account = call->access.account,
         .expires_at = now + kClaimCodeLife},
        kOpenClaimCodesMax,
        now,
        [this, call, code](const Status& created) {
            if (!created && created.error() == Error::NoSpace)
                return call->done(rest_refusal(
                    429, "too_many_requests", "32 claim codes are unused; use one of them"));
            if (!created) return call->done(rest_failure(created.error()));
            audit(*call, "claim-code", {}, "done");
            store_.list_open_devices(
                call->access.account,
                [call, code](const Result<std::vector<model::OpenDeviceRecord>>& records) {
                    json ids = json::array();
                    if (records) {
                        for (const model::OpenDeviceRecord& record : *records)
                            ids.push_back(to_hex<std::string>(record.device));
                    }
                    call->done(rest_reply({{"claim_code", code}, {"device_ids", ids}}));
                });
        });
}

void Rest::redeem_claim_code(const model::DeviceId& device, const std::string& code) {
    store_.redeem_claim_code(config_.hash_token(code),
                             device,
                             config_.now(),
                             [this, device](const Result<model::OpenDeviceRecord>& claimed) {
                                 Call call;
                                 if (claimed) call.access.account = claimed->account;
                                 const std::string id = to_hex<std::string>(device);
                                 audit(call, "device-claim", id, claimed ? "done" : "refused");
                                 if (claimed) devices_.set_owner(device, claimed->account);
                                 if (claimed || claimed.error() == Error::NotFound)
                                     devices_.end_claim_code(device);
                             });
}

// What becomes of whose device the store decides, in one step.
void Rest::provision(const CallPtr& call) {
    model::DeviceId id{};
    if (!from_hex(call->places[0], id))
        return call->done(
            rest_refusal(400, "invalid_request", "The id of a device has 24 digits of hex"));
    auto key = config_.read_device_key(call->field("publicKey"));
    if (!key)
        return call->done(rest_refusal(
            400, "invalid_request", "publicKey must be the RSA public key of a device, in PEM"));
    store_.provision_device(
        {.device = id, .key = *std::move(key), .stored_at = config_.now()},
        call->access.account,
        [this, call, id](const Result<model::OpenDeviceRecord>& record) {
            const std::string text = to_hex<std::string>(id);
            if (!record && record.error() == Error::Refused) {
                audit(*call, "device-key", text, "refused");
                return call->done(rest_refusal(403,
                                               "forbidden",
                                               "Permission denied: the device is another user's, "
                                               "or has a key that its operator gave"));
            }
            if (!record && record.error() == Error::NoSpace)
                return call->done(
                    rest_refusal(429, "too_many_devices", "This user has 4,096 devices"));
            if (!record) return call->done(rest_failure(record.error()));
            devices_.disconnect(id);
            audit(*call, "device-key", text, "done");
            call->done(rest_reply({{"ok", true}, {"id", text}}));
        });
}

void Rest::stream_device(const CallPtr& call) {
    find_open_device(call, [this, call](const Target& target) {
        open_stream(call, {.owner = call->access.account, .publisher = target.id}, 1);
    });
}

}  // namespace sotto::cloud::http
