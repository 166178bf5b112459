// SPDX-License-Identifier: Apache-2.0
// Environment variables: of the account, of one of its products (call->product), of a device.
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/environment.hpp"
#include "cloud/http/rest.hpp"
#include "cloud/http/rest_find.hpp"
#include "cloud/http/rest_replies.hpp"

namespace sotto::cloud::http {

using model::EnvironmentRecord;
using nlohmann::json;
using Level = Environment::Level;

// The environment that the path names, and those above it.
struct Rest::NamedEnvironment {
    Environment::Chain chain{};
    EnvironmentRecord record{};  // of the last one
};

// From the account down: each level is looked up after the one above it.
void Rest::load_environment(const CallPtr& call,
                            NamedEnvironmentPtr known,
                            model::ProductId product,
                            std::optional<model::DeviceId> device,
                            std::function<void(const NamedEnvironmentPtr&)> done) {
    if (!known) known = std::make_shared<NamedEnvironment>();
    const std::size_t above = known->chain.size();
    const bool has_product = product != model::ProductId{};
    Level level = Level::Owner;
    if (above > 0) level = has_product && above == 1 ? Level::Product : Level::Device;
    const std::size_t depth = 1 + (has_product ? 1U : 0U) + (device ? 1U : 0U);
    // A device's own is of the account, so that it stays when the product changes.
    const auto of_product = level == Level::Product ? product : model::ProductId{};
    const auto of_device = level == Level::Device ? device : std::nullopt;
    store_.find_environment(
        call->access.account,
        of_product,
        of_device,
        [this, call, known, product, device, done = std::move(done), level, depth](
            const Result<EnvironmentRecord>& record) {
            if (!record) return call->done(rest_failure(record.error()));
            known->chain.push_back(Environment::parse(level, record->definition));
            known->record = *record;
            if (known->chain.size() == depth) return done(known);
            load_environment(call, known, product, device, done);
        });
}

// What was changed of the last one is saved, unless somebody else has done so meanwhile.
void Rest::save_environment(const CallPtr& call, const NamedEnvironmentPtr& named, json answer) {
    EnvironmentRecord record = named->record;
    ++record.revision;
    record.definition = named->chain.back().definition();
    store_.save_environment(record, [this, call, answer = std::move(answer)](const Status& saved) {
        if (!saved && saved.error() == Error::Refused)
            return call->done(
                rest_refusal(409, "conflict", "Somebody else changed it meanwhile; try again"));
        if (!saved && saved.error() == Error::NoSpace)
            return call->done(
                rest_refusal(429, "too_many_environments", "This user has 8,192 environments"));
        if (!saved) return call->done(rest_failure(saved.error()));
        audit(*call, "env", call->request.target.substr(0, call->request.target.find('?')), "done");
        call->done(rest_reply(answer));
    });
}

void Rest::change_environment(const CallPtr& call,
                              const NamedEnvironmentPtr& named,
                              const json& ops) {
    const auto applied = named->chain.back().apply(ops, call->access.user, config_.now());
    if (!applied) return call->done(rest_refusal(400, "invalid_request", applied.error()));
    save_environment(call, named, Environment::show(named->chain));
}

void Rest::on_environment(const CallPtr& call,
                          const NamedEnvironmentPtr& named,
                          EnvironmentVerb verb,
                          const std::string& key) {
    switch (verb) {
        case EnvironmentVerb::Show:
            return call->done(rest_reply(Environment::show(named->chain)));
        case EnvironmentVerb::Render:
            return call->done(rest_reply(Environment::render(named->chain)));
        case EnvironmentVerb::Review:
            return call->done(rest_reply(Environment::diff(named->chain)));
        case EnvironmentVerb::Set:
            return change_environment(
                call,
                named,
                json::array({{{"op", "Set"}, {"key", key}, {"value", call->field("value")}}}));
        case EnvironmentVerb::Unset:
            return change_environment(call, named, json::array({{{"op", "Unset"}, {"key", key}}}));
        case EnvironmentVerb::RollOut:
            named->chain.back().roll_out(call->access.user, config_.now());
            return save_environment(call, named, {{"success", true}});
        case EnvironmentVerb::Patch:
            break;
    }
    const json given = json::parse(call->request.body, nullptr, false);
    change_environment(call, named, given.is_object() ? given.value("ops", json()) : json());
}

// The places name a device, if there is one, and then a variable, if the verb is for one.
void Rest::use_environment(const CallPtr& call, EnvironmentVerb verb) {
    const bool has_key = verb == EnvironmentVerb::Set || verb == EnvironmentVerb::Unset;
    const std::string key = has_key ? call->places.back() : std::string{};
    const auto go_on = [this, call, verb, key](const NamedEnvironmentPtr& named) {
        on_environment(call, named, verb, key);
    };
    if (call->places.size() == (has_key ? 1U : 0U))
        return load_environment(call, nullptr, call->product, std::nullopt, go_on);
    find_device(call, [this, call, go_on](const Target& target) {
        const services::Product* const product =
            config_.fleet ? config_.fleet->product_of(call->access.account, target.id) : nullptr;
        const auto id = product ? product->record.id : model::ProductId{};
        load_environment(call, nullptr, id, target.id, go_on);
    });
}

void Rest::show_environment(const CallPtr& call) { use_environment(call, EnvironmentVerb::Show); }
void Rest::patch_environment(const CallPtr& call) { use_environment(call, EnvironmentVerb::Patch); }
void Rest::set_variable(const CallPtr& call) { use_environment(call, EnvironmentVerb::Set); }
void Rest::unset_variable(const CallPtr& call) { use_environment(call, EnvironmentVerb::Unset); }
void Rest::render_environment(const CallPtr& call) {
    use_environment(call, EnvironmentVerb::Render);
}
void Rest::review_environment(const CallPtr& call) {
    use_environment(call, EnvironmentVerb::Review);
}
void Rest::roll_out_environment(const CallPtr& call) {
    use_environment(call, EnvironmentVerb::RollOut);
}

}  // namespace sotto::cloud::http
