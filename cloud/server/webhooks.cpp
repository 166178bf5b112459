// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/webhooks.hpp"

#include <utility>

#include "cloud/server/limits.hpp"

namespace sotto::cloud::server {

Webhooks::Webhooks(Setup setup)
    : setup_(std::move(setup)),
      dispatcher_({.product_of =
                       [this](model::AccountId owner, const model::DeviceId& device) {
                           const services::OpenDevice* const line =
                               setup_.devices.find(device, owner);
                           if (line == nullptr) return hooks::Product{};
                           return hooks::Product{.id = line->attributes().product_id,
                                                 .version = line->attributes().firmware_version};
                       },
                   .on_work = [this] { pump_soon(); }}),
      client_({.networks = setup_.networks,
               .post = setup_.post,
               .on_sent = [this](hooks::JobId job) { dispatcher_.on_sent(job); },
               .on_answered =
                   [this](hooks::JobId job, const hooks::Answer& answer) {
                       dispatcher_.on_answered(job, answer, setup_.now());
                   }}) {}

void Webhooks::pump_soon() {
    if (std::exchange(is_pump_posted_, true)) return;
    setup_.post([this] { pump(); });
}

void Webhooks::pump() {
    is_pump_posted_ = false;
    for (int count = 0; count < kWebhookOutputsMax; ++count) {
        auto output = dispatcher_.next(setup_.now());
        if (!output) return;
        if (auto* send = std::get_if<hooks::Send>(&*output)) {
            client_.send(*std::move(send));
        } else {
            auto& say = std::get<hooks::Say>(*output);
            setup_.devices.publish(say.account, std::move(say.what));
        }
    }
    pump_soon();
}

}  // namespace sotto::cloud::server
