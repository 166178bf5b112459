// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/tags.hpp"

#include <algorithm>
#include <utility>

#include "cloud/server/limits.hpp"
#include "core/session/tag_key.hpp"

namespace sotto::cloud::server {

static_assert(model::TagKey::Key::kSize == session::kTagKeySize);

void Tags::on_wanted(services::GatewayId gateway, model::AccountId account) {
    readers_[gateway] = {.account = account, .give_at = setup_.now()};
}

void Tags::on_keys_changed(model::AccountId account) {
    for (auto& [gateway, reader] : readers_) {
        if (reader.account == account) reader.give_at = setup_.now();
    }
}

void Tags::on_time() {
    const Instant now = setup_.now();
    std::erase_if(readers_,
                  [&](const auto& item) { return !setup_.hub.router().is_signed_in(item.first); });
    for (auto& [gateway, reader] : readers_) {
        if (now < reader.give_at) continue;
        reader.give_at = now + kTagsInterval;
        setup_.store.list_tag_keys(reader.account,
                                   [this, id = gateway, alive = std::weak_ptr<bool>{is_alive_}](
                                       const Result<std::vector<model::TagKey>>& keys) {
                                       if (alive.expired()) return;
                                       if (keys) return give(id, *keys);
                                       const auto found = readers_.find(id);
                                       if (found != readers_.end())
                                           found->second.give_at =
                                               setup_.now() + services::kRetryInterval;
                                   });
    }
}

// [UPL-51] All of them anew: what was lost or taken back is put right by the next time.
void Tags::give(services::GatewayId gateway, const std::vector<model::TagKey>& keys) {
    framing::uplink::Tags record{
        .is_first = true, .unix_seconds = static_cast<std::uint32_t>(setup_.now().ms / 1'000)};
    const framing::TagPeriod first = framing::tag_period_at(record.unix_seconds) - 1;
    std::vector<std::uint8_t> tags;
    const auto send = [&] {
        record.tags = tags;
        setup_.hub.router().send_tags(gateway, record);
        record.is_first = false;
        tags.clear();
    };
    if (keys.empty()) send();
    for (std::uint32_t i = 0; i < kTagPeriods && !keys.empty(); ++i) {
        record.period = first + i;
        for (const model::TagKey& key : keys) {
            const framing::Tag tag =
                session::tag_of(session::TagKey{key.key.expose()}, record.period);
            tags.insert(tags.end(), tag.begin(), tag.end());
            if (tags.size() == framing::kTagsPerRecordMax * framing::kDeviceTagSize) send();
        }
        if (!tags.empty()) send();
    }
    setup_.hub.pump();
}

}  // namespace sotto::cloud::server
