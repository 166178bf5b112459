// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/sessions.hpp"

#include <utility>

namespace sotto::cloud::server {

namespace {

link::LinkNumber number_of(services::LinkKey key) { return link::LinkNumber{key.value()}; }
services::LinkKey key_of(link::LinkNumber number) { return services::LinkKey{number.value()}; }

}  // namespace

void Sessions::on_event(const services::DeviceEvent& event) {
    const Instant now = setup_.now();
    if (const auto* start = std::get_if<services::StartAttach>(&event)) {
        attachments_.start(number_of(start->link), start->device, start->credential, now);
    } else if (const auto* message = std::get_if<services::LinkMessage>(&event)) {
        attachments_.on_message(number_of(message->link), message->device, message->message, now);
    } else {
        attachments_.on_link_gone(number_of(std::get<services::LinkGone>(event).link));
    }
    perform_all();
}

void Sessions::on_time() {
    attachments_.on_time(setup_.now());
    perform_all();
}

void Sessions::perform_all() {
    while (const auto action = attachments_.next_action())
        std::visit([this](const auto& what) { perform(what); }, *action);
}

void Sessions::perform(const link::Load& load) {
    setup_.store.load_link_context(
        load.device,
        [this, device = load.device, alive = std::weak_ptr<bool>{is_alive_}](const auto& loaded) {
            if (alive.expired()) return;
            // One that cannot be read is as good as none: the device is asked for a new session.
            attachments_.on_loaded(device, loaded ? *loaded : std::nullopt, setup_.now());
            perform_all();
        });
}

void Sessions::perform(const link::Save& save) {
    setup_.store.save_link_context(
        save.device,
        save.record,
        [this, device = save.device, alive = std::weak_ptr<bool>{is_alive_}](const Status& saved) {
            if (alive.expired()) return;
            attachments_.on_saved(device, saved.has_value(), setup_.now());
            perform_all();
        });
}

void Sessions::perform(const link::Send& send) {
    setup_.router.send_link_message(key_of(send.link), send.message, setup_.now());
}

void Sessions::perform(const link::Proved& proved) {
    setup_.router.on_attached(
        key_of(proved.link),
        {.device = proved.device, .credential = proved.credential, .claim = proved.claim},
        setup_.now());
}

void Sessions::perform(const link::NotProved& not_proved) {
    setup_.router.on_attach_failed(key_of(not_proved.link), setup_.now());
}

}  // namespace sotto::cloud::server
