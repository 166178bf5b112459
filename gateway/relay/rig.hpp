// SPDX-License-Identifier: Apache-2.0
// A relay on a bench, for its tests: short words for stimuli and outputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/relay/relay.hpp"

namespace sotto::gateway::relay {

namespace up = framing::uplink;

inline constexpr CloudId kHome{0};
inline constexpr CloudId kOther{1};
inline constexpr std::uint16_t kCredit = 4;

class Rig {
  public:
    explicit Rig(Admission admission = {})
        : relay({{"home:1", "token"}, {"other:2", "token2"}}, std::move(admission)) {}

    static framing::Attach attach(bool has_owner,
                                  std::string_view address = {},
                                  std::uint8_t device = 1) {
        framing::Attach made{.has_owner = has_owner, .address = address};
        made.device_id.fill(device);
        return made;
    }

    void frame(LinkId link, const framing::Frame& frame) {
        std::vector<std::uint8_t> buffer(framing::kFrameSizeMax);
        relay.on_frame(link, *framing::encode_frame(buffer, frame), now);
    }
    void device_says(LinkId link, std::uint16_t label, std::string_view message) {
        frame(link, framing::Message{framing::Label{label}, as_bytes(message)});
    }
    void record(CloudId cloud, const up::Record& record) {
        std::vector<std::uint8_t> buffer(framing::kUplinkBytesMax);
        const auto bytes = up::encode_record(buffer, record);
        relay.on_uplink_record(cloud, bytes->subspan(framing::kUplinkSizeSize), now);
    }
    void cloud_says(LinkId link,
                    std::uint16_t label,
                    std::string_view message,
                    CloudId cloud = kHome) {
        record(cloud, up::Message{link, framing::Label{label}, as_bytes(message)});
    }
    void pass(Duration duration) {
        now = now + duration;
        relay.on_time(now);
    }
    void open_cloud(CloudId cloud, std::uint16_t credit = kCredit, std::uint16_t interval = 30) {
        relay.on_uplink_up(cloud, now);
        record(cloud, up::Welcome{credit, interval});
    }
    // Everything up to an offered device without owner on link 1.
    void open_all() {
        pass({});
        open_cloud(kHome);
        open_cloud(kOther);
        relay.on_link_up(LinkId{1}, now);
        frame(LinkId{1}, attach(false));
        take();
    }

    // The outputs so far, one short text each.
    std::vector<std::string> take() {
        std::vector<std::string> texts;
        while (const auto output = relay.next_output()) texts.push_back(describe(*output));
        return texts;
    }

    static std::string describe(const Output& output);

    Relay relay;
    Instant now{1'000};
};

}  // namespace sotto::gateway::relay
