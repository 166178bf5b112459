// SPDX-License-Identifier: Apache-2.0
// Integrations: webhooks of a user.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_replies.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::http {

using hooks::KnownHook;
using nlohmann::json;

namespace {

constexpr const char* kType = "Webhook";

std::string id_text(const model::HookId& id) { return to_hex<std::string>(id.bytes); }

Reply invalid(const std::string& what) { return rest_refusal(400, "invalid_request", what); }

Reply no_hook() { return rest_refusal(404, "not_found", "This user has no such integration"); }

Reply hook_failure(Error error) {
    if (error == Error::NotFound) return no_hook();
    if (error == Error::NoSpace)
        return rest_refusal(429,
                            "too_many_integrations",
                            "This user has 1,024 integrations, or 2 MiB of them; delete one");
    return rest_failure(error);
}

// What forms and old clients write as text although it is an object.
bool is_object_member(std::string_view name) {
    constexpr std::string_view kNames[] = {"headers", "query", "form", "json", "auth"};
    return std::ranges::find(kNames, name) != std::end(kNames);
}

json given_in(const Call& call) {
    json given = json::parse(call.request.body, nullptr, false);
    if (given.is_object()) return given;
    given = json::object();
    for (const auto& [name, value] : call.body) {
        const json inner = is_object_member(name) ? hooks::parse_data(value) : json();
        given[name] = inner.is_null() ? json(value) : inner;
    }
    return given;
}

json told(const KnownHook& known) {
    const hooks::Hook& hook = known.hook;
    json body = hooks::show_definition(json::parse(known.definition));
    body["id"] = id_text(hook.id);
    body["integration_type"] = kType;
    body["requestType"] = hooks::name_of(hook.method);
    body["disabled"] = hook.is_disabled;
    if (hook.product != 0) body["product_id"] = hook.product;
    body["created_at"] = to_iso(hook.created_at.ms);
    body["updated_at"] = to_iso(hook.updated_at.ms);
    const hooks::Activity& activity = known.activity;
    body["counters"] = {{"sent", activity.sent},
                        {"succeeded", activity.succeeded},
                        {"failed", activity.failed},
                        {"skipped", activity.skipped},
                        {"dropped", activity.dropped}};
    if (!activity.last_error.empty()) {
        body["last_error"] = activity.last_error;
        body["last_error_at"] = to_iso(activity.last_error_at.ms);
    }
    return body;
}

json summary(const model::HookRecord& record, const json& definition) {
    return {{"ok", true},
            {"id", id_text(record.id)},
            {"url", definition["url"]},
            {"event", definition["event"]},
            {"name", definition.value("name", json(definition["event"]))},
            {"created_at", to_iso(record.created_at.ms)},
            {"integration_type", kType},
            {"hookUrl",
             (record.product == 0 ? std::string{"/v1"}
                                  : "/v1/products/" + std::to_string(record.product)) +
                 "/integrations/" + id_text(record.id)}};
}

}  // namespace

// What the user gives over what was before, where that is a hook; the name of a device as its id.
template <class Function>
void Rest::with_definition(const CallPtr& call, const json& old, Function function) {
    if (config_.hooks == nullptr)
        return call->done(rest_refusal(501, "not_implemented", "There are no webhooks here"));
    const json given = given_in(*call);
    const json type = given.value("integration_type", json(kType));
    if (type != kType && type != "webhook")
        return call->done(invalid("integration_type: this cloud knows webhooks only"));
    auto definition = std::make_shared<json>(hooks::merge_definition(given, old));
    const auto check = [this, call, definition, function] {
        const auto hook = hooks::parse_hook(*definition);
        if (!hook) return call->done(invalid(hook.error().text));
        if (config_.may_call && !config_.may_call(hook->origin.host))
            return call->done(
                invalid("url: " + hook->origin.host +
                        " is this machine or in a private network, and the operator has not "
                        "allowed webhooks to go there (webhook-allow)"));
        function(*definition);
    };
    const json device = definition->value("deviceID", json());
    model::DeviceId id{};
    if (!device.is_string() || device == "" || from_hex(device.get<std::string>(), id))
        return check();
    store_.list_open_devices(
        call->access.account,
        [call, definition, check, name = device.get<std::string>()](
            const Result<std::vector<model::OpenDeviceRecord>>& records) {
            if (!records) return call->done(rest_failure(records.error()));
            const auto found = std::ranges::find(*records, name, &model::OpenDeviceRecord::name);
            if (found == records->end())
                return call->done(
                    rest_refusal(404, "device_not_found", "This user has no such device"));
            (*definition)["deviceID"] = to_hex<std::string>(found->device);
            check();
        });
}

const KnownHook* Rest::find_hook(const CallPtr& call) {
    model::HookId id;
    const bool is_id = from_hex(call->places[0], id.bytes);
    const KnownHook* const known =
        is_id && config_.hooks ? config_.hooks->find(call->access.account, id) : nullptr;
    if (known != nullptr && known->hook.product == call->product.value()) return known;
    call->done(no_hook());
    return nullptr;
}

void Rest::list_hooks(const CallPtr& call) {
    json list = json::array();
    if (config_.hooks) {
        for (const KnownHook* const known : config_.hooks->list(call->access.account)) {
            if (known->hook.product == call->product.value()) list.push_back(told(*known));
        }
    }
    call->done(rest_reply(list));
}

void Rest::get_hook(const CallPtr& call) {
    if (const KnownHook* const known = find_hook(call)) call->done(rest_reply(told(*known)));
}

void Rest::create_hook(const CallPtr& call) {
    with_definition(call, json::object(), [this, call](const json& definition) {
        model::HookRecord record{
            .account = call->access.account,
            .definition = definition.dump(-1, ' ', true, json::error_handler_t::replace),
            .created_at = config_.now(),
            .updated_at = config_.now(),
            .product = call->product.value()};
        if (!config_.draw(record.id.bytes)) return call->done(rest_failure(Error::EntropyFailed));
        store_.add_hook(record, [this, call, record, definition](const Status& added) {
            if (!added) return call->done(hook_failure(added.error()));
            config_.hooks->set_hook(record);
            audit(*call, "integration-create", id_text(record.id), "done");
            call->done(rest_reply(summary(record, definition), 201));
        });
    });
}

void Rest::change_hook(const CallPtr& call) {
    const KnownHook* const known = find_hook(call);
    if (known == nullptr) return;
    const model::HookRecord old_record{.id = known->hook.id,
                                       .account = call->access.account,
                                       .created_at = known->hook.created_at,
                                       .updated_at = config_.now(),
                                       .product = call->product.value()};
    const json old = json::parse(known->definition);
    with_definition(call, old, [this, call, old_record](const json& definition) {
        model::HookRecord record = old_record;
        record.definition = definition.dump(-1, ' ', true, json::error_handler_t::replace);
        store_.update_hook(record, [this, call, record, definition](const Status& updated) {
            if (!updated) return call->done(hook_failure(updated.error()));
            config_.hooks->set_hook(record);
            audit(*call, "integration-update", id_text(record.id), "done");
            call->done(rest_reply(summary(record, definition)));
        });
    });
}

void Rest::erase_hook(const CallPtr& call) {
    const KnownHook* const known = find_hook(call);
    if (known == nullptr) return;
    const model::HookId id = known->hook.id;
    store_.erase_hook(call->access.account, id, [this, call, id](const Status& erased) {
        if (!erased) return call->done(hook_failure(erased.error()));
        config_.hooks->erase_hook(call->access.account, id);
        audit(*call, "integration-delete", id_text(id), "done");
        call->done(rest_reply({{"ok", true}, {"id", id_text(id)}}));
    });
}

void Rest::try_hook(const CallPtr& call) {
    const KnownHook* const known = find_hook(call);
    if (known == nullptr) return;
    const std::string event = call->field("event");
    services::Event tried{.id = ring_.last_id(),
                          .publisher = known->hook.device,
                          .owner = call->access.account,
                          .what = {.name = event.empty() ? known->hook.event : event,
                                   .data = call->field("data"),
                                   .product = call->product.value()},
                          .published_at = config_.now()};
    if (tried.what.name.size() > kEventNameSizeMax || tried.what.data->size() > kEventDataSizeMax)
        return call->done(invalid("An event has a name of 64 bytes and data of 1,024 at most"));
    if (known->hook.is_disabled)
        return call->done(rest_refusal(400, "disabled", "This integration is disabled"));
    const Status taken =
        config_.hooks->try_hook(call->access.account,
                                known->hook.id,
                                std::make_shared<const services::Event>(std::move(tried)),
                                config_.now());
    if (!taken)
        return call->done(
            rest_refusal(429, "too_many_requests", "Too many webhooks of this user are waiting"));
    call->done(rest_reply({{"ok", true}, {"id", call->places[0]}}, 202));
}

}  // namespace sotto::cloud::http
