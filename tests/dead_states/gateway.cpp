// SPDX-License-Identifier: Apache-2.0
// The gateway: the relay in the hands of a daemon that does what it is told, between devices and
// clouds that may say anything.
#include <map>

#include "gateway/relay/rig.hpp"
#include "tests/dead_states/part.hpp"

namespace sotto::dead_states {
namespace {

using namespace gateway::relay;  // NOLINT(google-build-using-namespace)

class GatewayWorld final : public World {
  public:
    enum Start : std::size_t { New, Open, Offered, Full };

    explicit GatewayWorld(std::size_t start) {
        rig_.pass({});
        settle();
        if (start == New) return;
        uplink_up(kHome);
        welcome(kHome);
        if (start == Open) return;
        link_up();
        frame(Rig::attach(true, "home:1"));
        if (start == Full) {  // all credit used, and something waits in every queue
            for (int i = 0; i < 40; ++i) device_says("d");
            for (int i = 0; i < kCredit; ++i) cloud_says(link());
        }
    }

    bool apply(std::size_t kind) override;
    void expect_alive() override;

    // Devices.
    void link_up() {
        rig_.relay.on_link_up(LinkId{++newest_}, rig_.now);
        unsent_ = 0;
        settle();
    }
    LinkId link() const { return LinkId{newest_}; }
    void frame(const framing::Frame& frame) {
        rig_.frame(link(), frame);
        settle();
    }
    void raw_frame(Bytes bytes) {
        (void)rig_.relay.on_frame(link(), bytes, rig_.now);
        settle();
    }
    void device_says(std::string_view text, std::uint16_t label = 1) {
        rig_.device_says(link(), label, text);
        settle();
    }
    void sent() {
        rig_.relay.on_sent(link(), std::exchange(unsent_, 0));
        settle();
    }

    // Clouds. What a daemon may say of a connection follows from what it was told to do.
    struct Uplink {
        bool is_wanted = false;
        bool is_up = false;
        std::map<std::uint32_t, int> credit;  // of the messages that the relay may still send
    };
    Uplink& uplink(CloudId cloud) { return uplinks_[cloud.value()]; }
    bool uplink_up(CloudId cloud) {
        if (!uplink(cloud).is_wanted) return false;
        uplink(cloud) = {.is_wanted = false, .is_up = true, .credit = {}};
        rig_.relay.on_uplink_up(cloud, rig_.now);
        settle();
        return true;
    }
    bool uplink_down(CloudId cloud) {
        if (!uplink(cloud).is_up && !uplink(cloud).is_wanted) return false;
        uplink(cloud) = {};
        rig_.relay.on_uplink_down(cloud, rig_.now, Jitter{0});
        settle();
        return true;
    }
    bool record(CloudId cloud, const up::Record& record) {
        if (!uplink(cloud).is_up) return false;
        rig_.record(cloud, record);
        settle();
        return true;
    }
    bool raw_record(CloudId cloud, Bytes bytes) {
        if (!uplink(cloud).is_up) return false;
        rig_.relay.on_uplink_record(cloud, bytes, rig_.now);
        settle();
        return true;
    }
    bool welcome(CloudId cloud) { return record(cloud, up::Welcome{kCredit, 30}); }
    bool cloud_says(LinkId to, std::string_view text = "c", std::uint16_t label = 2) {
        return record(kHome, up::Message{to, framing::Label{label}, as_bytes(text)});
    }

    void pass(Duration duration) {
        rig_.pass(duration);
        settle();
    }
    void settle() {
        while (const auto output = rig_.relay.next_output()) perform(*output);
        require(rig_.relay.link_count() <= newest_, "there are links that never were");
    }

    Rig rig_;
    std::uint32_t newest_ = 0;
    std::size_t unsent_ = 0;  // frames that the air has of the newest link
    std::array<Uplink, 2> uplinks_;
    std::string device_heard_;
    std::string cloud_heard_;

  private:
    void perform(const Output& output) {
        if (const auto* connect = std::get_if<ConnectCloud>(&output)) {
            require(!uplink(connect->cloud).is_up, "it connects twice");
            uplink(connect->cloud).is_wanted = true;
        } else if (const auto* close = std::get_if<CloseCloud>(&output)) {
            uplink(close->cloud) = {};
            rig_.relay.on_uplink_down(close->cloud, rig_.now, Jitter{0});
        } else if (const auto* to_cloud = std::get_if<SendToCloud>(&output)) {
            on_record(*to_cloud);
        } else if (const auto* to_device = std::get_if<SendToDevice>(&output)) {
            unsent_ += to_device->link == link() ? 1 : 0;
            require(unsent_ <= kInAirMax, "the air has too many frames");
            const auto parsed = framing::parse_frame(to_device->frame);
            require(parsed.has_value(), "a frame that is none");
            if (const auto* message = std::get_if<framing::Message>(&*parsed))
                device_heard_ = as_text(message->message);
        } else if (const auto* let_go = std::get_if<CloseLink>(&output)) {
            if (let_go->link == link()) unsent_ = 0;
        }
    }
    void on_record(const SendToCloud& send) {
        Uplink& to = uplink(send.cloud);
        require(to.is_up, "a record without a connection");
        const auto parsed = up::parse_record(Bytes{send.record}.subspan(2), up::Side::Gateway);
        require(parsed.has_value(), "a record that is none");
        if (const auto* link_up = std::get_if<up::LinkUp>(&*parsed))
            to.credit.try_emplace(link_up->link.value(), kCredit);
        if (const auto* down = std::get_if<up::LinkDown>(&*parsed))
            require(to.credit.erase(down->link.value()) == 1, "a link that nobody knew is down");
        const auto* message = std::get_if<up::Message>(&*parsed);
        if (message == nullptr) return;
        require(to.credit.contains(message->link.value()), "a link that nobody announced");
        require(--to.credit[message->link.value()] >= 0, "more than the credit");
        cloud_heard_ = as_text(message->message);
    }
};

using W = GatewayWorld;

bool grant(W& w, CloudId cloud, std::uint16_t count) {
    const auto found = w.uplink(cloud).credit.find(w.newest_);
    if (found != w.uplink(cloud).credit.end()) found->second += count;
    return w.record(cloud, up::Credit{w.link(), count});
}

constexpr std::array kKinds{
    // Devices.
    Kind<W>{"link-up", [](W& w) { return w.link_up(), true; }},
    Kind<W>{"link-down",
            [](W& w) {
                w.rig_.relay.on_link_down(w.link(), w.rig_.now);
                w.unsent_ = 0;
                return w.settle(), true;
            }},
    Kind<W>{"attach-without-owner", [](W& w) { return w.frame(Rig::attach(false)), true; }},
    Kind<W>{"attach-without-cloud", [](W& w) { return w.frame(Rig::attach(true)), true; }},
    Kind<W>{"attach-home", [](W& w) { return w.frame(Rig::attach(true, "home:1")), true; }},
    Kind<W>{"attach-other", [](W& w) { return w.frame(Rig::attach(true, "other:2")), true; }},
    Kind<W>{"attach-unknown", [](W& w) { return w.frame(Rig::attach(true, "unknown:3")), true; }},
    Kind<W>{"attach-of-another-device",
            [](W& w) { return w.frame(Rig::attach(true, "home:1", 5)), true; }},
    Kind<W>{"attach-broken", [](W& w) { return w.raw_frame(as_bytes("\x01\x09")), true; }},
    Kind<W>{"device-release", [](W& w) { return w.frame(framing::Release{1}), true; }},
    Kind<W>{"device-message", [](W& w) { return w.device_says("d"), true; }},
    Kind<W>{"device-message-nearby", [](W& w) { return w.device_says("d", 0), true; }},
    Kind<W>{"device-messages",
            [](W& w) {
                for (std::size_t i = 0; i <= kToCloudQueueMax; ++i) w.device_says("d");
                return true;
            }},
    Kind<W>{"device-garbage", [](W& w) { return w.raw_frame(as_bytes("\x09garbage")), true; }},
    Kind<W>{"device-nothing", [](W& w) { return w.raw_frame({}), true; }},
    Kind<W>{"frames-sent", [](W& w) { return w.unsent_ > 0 && (w.sent(), true); }},
    // The cloud of its home.
    Kind<W>{"connected", [](W& w) { return w.uplink_up(kHome); }},
    Kind<W>{"disconnected", [](W& w) { return w.uplink_down(kHome); }},
    Kind<W>{"welcome", [](W& w) { return w.welcome(kHome); }},
    Kind<W>{"refused", [](W& w) { return w.record(kHome, up::Refused{up::Reason::Full}); }},
    Kind<W>{"cloud-message", [](W& w) { return w.cloud_says(w.link()); }},
    Kind<W>{"cloud-message-to-unknown-link",
            [](W& w) { return w.cloud_says(LinkId{w.newest_ + 100}); }},
    Kind<W>{"cloud-messages-over-credit",
            [](W& w) {
                if (!w.uplink(kHome).is_up) return false;
                for (int i = 0; i <= 2 * kCredit; ++i) w.cloud_says(w.link());
                return true;
            }},
    Kind<W>{"credit", [](W& w) { return grant(w, kHome, 1); }},
    Kind<W>{"credit-too-much", [](W& w) { return grant(w, kHome, 0xffff); }},
    Kind<W>{"release", [](W& w) { return w.record(kHome, up::Release{w.link(), 1}); }},
    Kind<W>{"ping", [](W& w) { return w.record(kHome, up::Ping{1}); }},
    Kind<W>{"pong", [](W& w) { return w.record(kHome, up::Pong{1}); }},
    Kind<W>{"cloud-says-hello", [](W& w) { return w.raw_record(kHome, as_bytes("\x01\x01t")); }},
    Kind<W>{"cloud-says-link-down",
            [](W& w) { return w.raw_record(kHome, Bytes{std::array<std::uint8_t, 5>{0x11}}); }},
    Kind<W>{"cloud-garbage", [](W& w) { return w.raw_record(kHome, as_bytes("\x77")); }},
    Kind<W>{"cloud-nothing", [](W& w) { return w.raw_record(kHome, {}); }},
    // Another cloud.
    Kind<W>{"other-connected", [](W& w) { return w.uplink_up(kOther); }},
    Kind<W>{"other-disconnected", [](W& w) { return w.uplink_down(kOther); }},
    Kind<W>{"other-welcome", [](W& w) { return w.welcome(kOther); }},
    Kind<W>{"other-message",
            [](W& w) {
                return w.record(kOther, up::Message{w.link(), framing::Label{2}, as_bytes("o")});
            }},
    Kind<W>{"other-credit", [](W& w) { return grant(w, kOther, 1); }},
    // Time.
    Kind<W>{"600-milliseconds", [](W& w) { return w.pass(milliseconds(600)), true; }},
    Kind<W>{"11-seconds", [](W& w) { return w.pass(seconds(11)), true; }},
    Kind<W>{"130-seconds", [](W& w) { return w.pass(seconds(130)), true; }},
};

bool GatewayWorld::apply(std::size_t kind) { return kKinds[kind].apply(*this); }

// A good device, a good cloud, one message each way.
void GatewayWorld::expect_alive() {
    uplink_down(kHome);
    for (int i = 0; i < 3 && !uplink(kHome).is_wanted; ++i) pass(seconds(60));
    require(uplink_up(kHome), "it does not connect");
    require(welcome(kHome), "it says nothing to the cloud");
    link_up();
    frame(Rig::attach(true, "home:1", 9));
    cloud_says(link(), "request");
    require(device_heard_ == "request", "a request does not pass");
    device_says("answer", 2);
    require(cloud_heard_ == "answer", "an answer does not pass");
    require(rig_.relay.link_count() <= newest_, "links are left over");
}

}  // namespace

Part gateway_part() {
    return make_part<GatewayWorld>("gateway",
                                   {"new", "connected", "offers-a-device", "full-queues"},
                                   std::span<const Kind<GatewayWorld>>{kKinds});
}

}  // namespace sotto::dead_states
