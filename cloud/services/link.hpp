// SPDX-License-Identifier: Apache-2.0
// What the router keeps of gateways, links, devices and apps. Plain data; the rules are the
// Router's.
#pragma once

#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cloud/model/records.hpp"
#include "cloud/services/device_event.hpp"
#include "cloud/services/link_flow.hpp"
#include "cloud/services/outbox.hpp"
#include "cloud/services/talkers.hpp"
#include "cloud/services/uplink_session.hpp"

namespace sotto::cloud::services {

using GatewayId = Strong<std::uint64_t, struct GatewayIdTag>;
using AppConnectionId = Strong<std::uint64_t, struct AppConnectionIdTag>;

// How far a link has come in being the device that it says it is.
enum class Phase : std::uint8_t {
    Loading,      // the store is asked what is known of the device
    Unproven,     // a stranger: pairing only
    Proving,      // the cloud's session with the device is at work
    Registering,  // proved; the store is asked whether it belongs to an account
    Attached,     // it is the device
};

// The letters on their way to a link, in order. They stay in the store until they were passed on.
// Most links have none: lists take nothing while they are empty.
struct LinkMail {
    bool is_busy = false;  // the store is asked for letters or for a label
    bool may_have_more = false;
    model::Sequence last{};  // taken from the store up to here
    std::list<model::StoredLetter> page{};
    std::list<std::pair<std::uint64_t, model::Sequence>> on_their_way{};  // by number of message
};

struct Link {
    LinkKey key;
    GatewayId gateway;
    framing::uplink::LinkId number;
    model::DeviceId device{};
    bool has_owner = false;
    bool names_us = false;  // its owner chose this cloud
    Phase phase = Phase::Loading;
    std::optional<model::Registration> registration{};
    std::optional<Instant> load_again_at{};
    bool has_session = false;  // StartAttach was said, and LinkGone was not
    LinkFlow flow{};
    TokenBucket from_device;
    LinkMail mail{};
};

// Stands for a link that was released at once: what still comes from it is not looked at.
inline constexpr LinkKey kReleasedLink{0};

struct Gateway {
    UplinkSession session;
    std::unordered_map<std::uint32_t, LinkKey> links{};  // by the gateway's number
    bool is_ready = false;       // has been put into the list of peers with output
    bool was_told = false;       // its owner knows that it is to be closed
    std::string name{};          // of its token, once that was found
    model::AccountId account{};  // likewise
    bool wants_tags = false;
};

// A device that has links, or had until lately.
struct DeviceEntry {
    std::optional<LinkKey> attached{};
    std::vector<LinkKey> links{};  // the newest last
    std::unordered_map<model::AppAddress, model::Label, model::IdHash> label_of{};
    std::unordered_map<model::Label, model::AppAddress, model::IdHash> app_of{};
    Talkers talkers{};
    TokenBucket to_stranger;
};

struct App {
    model::AppAddress address;
    Outbox outbox{kAppOutputBytesMax};
    bool is_closed = false;
    bool is_ready = false;
    std::size_t waiting_send_count = 0;
    bool is_listing = false;     // the store is asked for letters
    bool has_failed = false;     // it could not answer: ask again
    bool has_news = false;       // something was stored meanwhile: ask again
    bool may_have_more = false;  // the last page was full: ask when it is acknowledged
    model::Sequence last_delivered{};
};

}  // namespace sotto::cloud::services
