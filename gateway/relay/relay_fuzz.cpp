// SPDX-License-Identifier: Apache-2.0
// A gateway between devices and clouds that say anything at all. The input is a list of steps: what
// (1 byte), where (1 byte), size (1 byte), bytes. Whatever comes: nothing crashes, what the gateway
// sends is always of the protocol, and afterwards a new device is offered to a new connection and
// messages pass both ways.
#include "core/base/assert.hpp"
#include "gateway/relay/rig.hpp"

namespace {

using namespace sotto;                  // NOLINT(google-build-using-namespace)
using namespace sotto::gateway::relay;  // NOLINT(google-build-using-namespace)

constexpr std::uint32_t kLinks = 4;  // of the script; the good end uses a later one

class Run {
  public:
    void play(Reader steps) {
        while (!steps.empty()) {
            const std::uint8_t what = *steps.u8();
            const std::uint8_t where = steps.u8().value_or(std::uint8_t{0});
            const std::size_t size = steps.u8().value_or(std::uint8_t{0});
            step(what, where, *steps.take(std::min(size, steps.size())));
            drain();
        }
    }

    void expect_good_end() {
        for (const CloudId cloud : {kHome, kOther}) close(cloud);
        for (int i = 0; i < 400 || uplink(kHome) != Uplink::Connecting; ++i) {
            SOTTO_ASSERT(i < 500);
            rig_.pass(seconds(1));
            drain();
            for (const CloudId cloud : {kHome, kOther}) {
                if (uplink(cloud) == Uplink::Closing) close(cloud);
            }
        }
        open(kHome);
        rig_.record(kHome, up::Welcome{kCredit, 30});
        const LinkId link{newest_ + 1};
        rig_.relay.on_link_up(link, rig_.now);
        rig_.frame(link, Rig::attach(false, {}, 9));
        drain();
        rig_.device_says(link, 1, "up");
        rig_.cloud_says(link, 1, "down");
        drain();
        SOTTO_ASSERT(message_up_ && message_down_);
    }

  private:
    void step(std::uint8_t what, std::uint8_t where, Bytes bytes) {
        const LinkId link{1 + where % kLinks};
        const CloudId cloud = where % 2 == 0 ? kHome : kOther;
        Relay& relay = rig_.relay;
        switch (what % 10) {
            case 0:
                // Numbers only rise: what is above the newest so far is a new link.
                newest_ += where % 3;
                relay.on_link_up(LinkId{++newest_}, rig_.now);
                break;
            case 1:
                relay.on_frame(LinkId{newest_ - where % 2}, bytes, rig_.now);
                break;
            case 2:
                relay.on_frame(link, bytes, rig_.now);
                break;
            case 3:
                rig_.frame(LinkId{newest_}, Rig::attach(bytes.size() % 2 == 0, {}, where));
                break;
            case 4:
                relay.on_sent(LinkId{newest_}, where % 4);
                break;
            case 5:
                relay.on_link_down(LinkId{newest_ - where % 2}, rig_.now);
                break;
            case 6:
                open(cloud);
                if (bytes.empty() && uplink(cloud) == Uplink::Up) {
                    rig_.record(cloud, up::Welcome{kCredit, 30});
                }
                break;
            case 7:
                if (!bytes.empty() && uplink(cloud) == Uplink::Up) {
                    relay.on_uplink_record(cloud, bytes, rig_.now);
                }
                break;
            case 8:
                close(cloud);
                break;
            case 9:
                rig_.pass(milliseconds(1LL << where % 16));
                break;
        }
    }

    // What a host may say of a connection follows from what it was told to do.
    enum class Uplink : std::uint8_t { None, Connecting, Up, Closing };
    Uplink& uplink(CloudId cloud) { return uplinks_[cloud.value()]; }
    void open(CloudId cloud) {
        if (uplink(cloud) != Uplink::Connecting) return;
        uplink(cloud) = Uplink::Up;
        rig_.relay.on_uplink_up(cloud, rig_.now);
    }
    void close(CloudId cloud) {
        if (uplink(cloud) == Uplink::None) return;
        uplink(cloud) = Uplink::None;
        rig_.relay.on_uplink_down(cloud, rig_.now, {});
        drain();
    }

    void drain() {
        while (const auto output = rig_.relay.next_output()) {
            if (const auto* item = std::get_if<ConnectCloud>(&*output))
                uplink(item->cloud) = Uplink::Connecting;
            if (const auto* item = std::get_if<CloseCloud>(&*output))
                uplink(item->cloud) = Uplink::Closing;
            if (const auto* item = std::get_if<SendToCloud>(&*output)) check_record(item->record);
            if (const auto* item = std::get_if<SendToDevice>(&*output)) {
                const auto frame = framing::parse_frame(item->frame);
                SOTTO_ASSERT(frame.has_value());
                const auto* message = std::get_if<framing::Message>(&*frame);
                if (message != nullptr && as_text(message->message) == "down") message_down_ = true;
            }
        }
    }
    void check_record(const std::vector<std::uint8_t>& bytes) {
        const auto record =
            up::parse_record(Bytes{bytes}.subspan(framing::kUplinkSizeSize), up::Side::Gateway);
        SOTTO_ASSERT(record.has_value());
        const auto* message = std::get_if<up::Message>(&*record);
        if (message != nullptr && as_text(message->message) == "up") message_up_ = true;
    }

    Rig rig_{Admission{.is_by_tag = true}};
    std::array<Uplink, 2> uplinks_{};
    std::uint32_t newest_ = kLinks;
    bool message_up_ = false;
    bool message_down_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 2'048) return 0;
    Run run;
    run.play(Reader{{data, size}});
    run.expect_good_end();
    return 0;
}
