// SPDX-License-Identifier: Apache-2.0
// The cloud: its router over a store, between gateways, apps and its own sessions with devices,
// any of which may say anything.
#include "cloud/services/router_world.hpp"
#include "tests/dead_states/part.hpp"

namespace sotto::dead_states {
namespace {

using namespace cloud::services;  // NOLINT(google-build-using-namespace)
using channel::OutcomeCode;
using cloud::model::ClaimCode;

constexpr std::uint32_t kLink = 9;
constexpr std::uint16_t kAppLabel = 2;  // of the first app that talks to a device
const Buffer kCall{0xca, 0x11};
const Buffer kReply{0x4e, 0x91, 0x1e};

class CloudWorld final : public World {
  public:
    enum Start : std::size_t { New, Connected, Stranger, Attaching, Attached, Mail };

    explicit CloudWorld(std::size_t start) {
        if (start == New) return;
        connect_gateway();
        connect_app();
        if (start == Stranger) inner_.link_up(gateway_, kLink, 1);
        if (start < Attaching) return;
        add_claim();
        inner_.link_up_ours(gateway_, kLink, 1);
        take_events();
        if (start == Attaching) return;
        attached(true);
        inner_.send(app_, 1, kCall);
        if (start == Attached) return;
        inner_.link_down(gateway_, kLink);
        inner_.send(app_, 1, kCall, 600);
        inner_.link_up_ours(gateway_, kLink + 1, 1);
        take_events();
        attached(true);
        inner_.close_app(app_);
        inner_.from_device(gateway_, kLink + 1, kAppLabel, kReply);
        connect_app();
        take_events();
    }

    bool apply(std::size_t kind) override;
    void expect_alive() override;
    void expect_letter_arrives(std::uint32_t link);

    void connect_gateway() { gateway_ = inner_.connect_gateway(); }
    void connect_app() { app_ = inner_.connect_app(); }
    void add_claim() {
        claim_ = ClaimCode{{++claim_count_}};
        inner_.store.create_claim({.code = claim_,
                                   .account = cloud::services::World::kAnn,
                                   .expires_at = inner_.now + kClaimLife},
                                  kOpenClaimsPerAccountMax,
                                  inner_.now,
                                  [](const auto&) {});
        inner_.settle();
    }
    bool has_gateway() const { return inner_.is_gateway_there(gateway_); }
    bool has_app() const { return inner_.is_app_there(app_); }

    bool from_gateway(const uplink::Record& record) {
        if (!has_gateway()) return false;
        return inner_.from_gateway(gateway_, record), take_events(), true;
    }
    bool raw_from_gateway(std::initializer_list<std::uint8_t> bytes) {
        if (!has_gateway()) return false;
        return inner_.raw_from_gateway(gateway_, Buffer{bytes}), take_events(), true;
    }
    bool link_up(const framing::Attach& attach) {
        return from_gateway(uplink::LinkUp{.link = uplink::LinkId{kLink}, .attach = attach});
    }
    bool from_device(std::uint16_t label, std::uint32_t link = kLink) {
        return from_gateway(uplink::Message{
            .link = uplink::LinkId{link}, .label = framing::Label{label}, .message = kReply});
    }
    bool from_app(const channel::Record& record) {
        if (!has_app()) return false;
        std::array<std::uint8_t, framing::kChannelRecordSizeMax> scratch{};
        inner_.raw_from_app(app_, channel::encode_record(scratch, record).value());
        return take_events(), true;
    }
    bool raw_from_app(std::initializer_list<std::uint8_t> bytes) {
        if (!has_app()) return false;
        return inner_.raw_from_app(app_, Buffer{bytes}), take_events(), true;
    }
    bool send(std::uint8_t device, std::uint16_t lifetime_s) {
        if (!has_app()) return false;
        return inner_.send(app_, device, kCall, lifetime_s), take_events(), true;
    }

    // The cloud's own sessions: what was asked of them last.
    void take_events() {
        for (int count = 0; const auto event = inner_.router.next_device_event(); ++count) {
            require(count < 1'000, "it has no end of events");
            if (const auto* start = std::get_if<StartAttach>(&*event)) asked_ = *start;
        }
    }
    bool attached(bool has_claim) {
        if (!asked_) return false;
        Proof proof{.device = asked_->device, .credential = {}, .claim = {}};
        proof.credential = cloud::services::World::credential(1);
        if (has_claim) proof.claim = claim_;
        inner_.router.on_attached(asked_->link, proof, inner_.now);
        return inner_.settle(), take_events(), true;
    }

    cloud::services::World inner_;
    GatewayId gateway_;
    AppConnectionId app_;
    std::optional<StartAttach> asked_;
    ClaimCode claim_;
    std::uint8_t claim_count_ = 0;
};

using W = CloudWorld;

framing::Attach attach_of(std::uint8_t number) {
    return {.has_owner = true, .device_id = cloud::services::World::device(number)};
}

constexpr std::array kKinds{
    // A gateway.
    Kind<W>{"gateway-connects", [](W& w) { return w.connect_gateway(), w.take_events(), true; }},
    Kind<W>{"gateway-with-bad-token",
            [](W& w) {
                w.gateway_ = w.inner_.connect_gateway("no-token");
                return true;
            }},
    Kind<W>{"gateway-without-hello",
            [](W& w) {
                const auto id = w.inner_.router.on_gateway_connected(w.inner_.now);
                return id.has_value();
            }},
    Kind<W>{"gateway-closes",
            [](W& w) {
                if (!w.has_gateway()) return false;
                return w.inner_.close_gateway(w.gateway_), w.take_events(), true;
            }},
    Kind<W>{"hello-again",
            [](W& w) { return w.from_gateway(uplink::Hello{.token = "gateway-token"}); }},
    Kind<W>{"link-up-without-owner",
            [](W& w) {
                framing::Attach attach = attach_of(1);
                attach.has_owner = false;
                return w.link_up(attach);
            }},
    Kind<W>{"link-up-without-cloud", [](W& w) { return w.link_up(attach_of(1)); }},
    Kind<W>{"link-up",
            [](W& w) {
                if (!w.has_gateway()) return false;
                w.add_claim();
                return w.inner_.link_up_ours(w.gateway_, kLink, 1), w.take_events(), true;
            }},
    Kind<W>{"link-up-of-another-device", [](W& w) { return w.link_up(attach_of(2)); }},
    Kind<W>{"link-up-for-another-cloud",
            [](W& w) {
                framing::Attach attach = attach_of(1);
                attach.address = "elsewhere:1";
                attach.cloud_credential.fill(0x77);
                return w.link_up(attach);
            }},
    Kind<W>{"link-down",
            [](W& w) { return w.from_gateway(uplink::LinkDown{uplink::LinkId{kLink}}); }},
    Kind<W>{"link-down-unknown",
            [](W& w) { return w.from_gateway(uplink::LinkDown{uplink::LinkId{77}}); }},
    Kind<W>{"device-to-app", [](W& w) { return w.from_device(kAppLabel); }},
    Kind<W>{"device-to-cloud", [](W& w) { return w.from_device(1); }},
    Kind<W>{"device-to-nobody", [](W& w) { return w.from_device(999); }},
    Kind<W>{"device-on-unknown-link", [](W& w) { return w.from_device(kAppLabel, 77); }},
    Kind<W>{"device-over-credit",
            [](W& w) {
                if (!w.has_gateway()) return false;
                for (int i = 0; i < 2 * kLinkCredit && w.has_gateway(); ++i) w.from_device(999);
                return true;
            }},
    Kind<W>{"credit",
            [](W& w) {
                return w.from_gateway(uplink::Credit{.link = uplink::LinkId{kLink}, .count = 1});
            }},
    Kind<W>{"credit-too-much",
            [](W& w) {
                return w.from_gateway(
                    uplink::Credit{.link = uplink::LinkId{kLink}, .count = 0xffff});
            }},
    Kind<W>{"ping", [](W& w) { return w.from_gateway(uplink::Ping{.value = 1}); }},
    Kind<W>{"pong", [](W& w) { return w.from_gateway(uplink::Pong{.value = 1}); }},
    Kind<W>{"gateway-says-welcome", [](W& w) { return w.raw_from_gateway({0, 5, 2, 0, 1, 0, 1}); }},
    Kind<W>{"gateway-garbage", [](W& w) { return w.raw_from_gateway({0, 1, 0x77}); }},
    Kind<W>{"gateway-empty-record", [](W& w) { return w.raw_from_gateway({0, 0}); }},
    Kind<W>{"gateway-half-a-record", [](W& w) { return w.raw_from_gateway({0, 9, 0x30}); }},
    // The cloud's session with the device.
    Kind<W>{"proved", [](W& w) { return w.attached(true); }},
    Kind<W>{"proved-without-claim", [](W& w) { return w.attached(false); }},
    Kind<W>{"not-proved",
            [](W& w) {
                if (!w.asked_) return false;
                w.inner_.router.on_attach_failed(w.asked_->link, w.inner_.now);
                return w.inner_.settle(), true;
            }},
    Kind<W>{"session-message",
            [](W& w) {
                if (!w.asked_) return false;
                w.inner_.router.send_link_message(w.asked_->link, kCall, w.inner_.now);
                return w.inner_.settle(), true;
            }},
    // An app.
    Kind<W>{"app-connects", [](W& w) { return w.connect_app(), true; }},
    Kind<W>{"app-of-another-account",
            [](W& w) {
                using Inner = cloud::services::World;
                w.app_ = w.inner_.connect_app(Inner::address(Inner::kBob));
                return true;
            }},
    Kind<W>{"app-closes", [](W& w) { return w.has_app() && (w.inner_.close_app(w.app_), true); }},
    Kind<W>{"send", [](W& w) { return w.send(1, 0); }},
    Kind<W>{"send-with-lifetime", [](W& w) { return w.send(1, 60); }},
    Kind<W>{"send-to-unknown-device", [](W& w) { return w.send(3, 60); }},
    Kind<W>{"sends",
            [](W& w) {
                if (!w.has_app()) return false;
                for (std::size_t i = 0; i < 2 * kLinkCredit + 8; ++i) w.send(1, 60);
                return true;
            }},
    Kind<W>{"ack", [](W& w) { return w.from_app(channel::Ack{.sequence = channel::Sequence{1}}); }},
    Kind<W>{"ack-of-the-future",
            [](W& w) {
                return w.from_app(channel::Ack{.sequence = channel::Sequence{~std::uint64_t{0}}});
            }},
    Kind<W>{"app-says-deliver",
            [](W& w) { return w.raw_from_app({3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2}); }},
    Kind<W>{"app-garbage", [](W& w) { return w.raw_from_app({0x77}); }},
    Kind<W>{"app-nothing", [](W& w) { return w.raw_from_app({}); }},
    // The store, the process and its time.
    Kind<W>{"store-fails",
            [](W& w) { return w.inner_.store.fail_with(Error::StorageFailed), true; }},
    Kind<W>{"store-works",
            [](W& w) {
                w.inner_.store.fail_with(std::nullopt);
                w.inner_.is_store_slow = false;
                return w.inner_.settle(), w.take_events(), true;
            }},
    Kind<W>{"store-is-slow", [](W& w) { return !std::exchange(w.inner_.is_store_slow, true); }},
    Kind<W>{"2-seconds", [](W& w) { return w.inner_.pass(seconds(2)), w.take_events(), true; }},
    Kind<W>{"silence",
            [](W& w) { return w.inner_.pass_in_silence(seconds(70)), w.take_events(), true; }},
    Kind<W>{"3-minutes", [](W& w) { return w.inner_.pass(minutes(3)), w.take_events(), true; }},
    Kind<W>{
        "8-days",
        [](W& w) { return w.inner_.pass_in_silence(minutes(8 * 24 * 60)), w.take_events(), true; }},
    Kind<W>{"restart",
            [](W& w) {
                w.asked_.reset();
                return w.inner_.restart(), true;
            }},
};

bool CloudWorld::apply(std::size_t kind) { return kKinds[kind].apply(*this); }

// A good gateway, a good device that proves itself, and a good app: a message each way.
void CloudWorld::expect_alive() {
    inner_.store.fail_with(std::nullopt);
    inner_.is_store_slow = false;
    inner_.settle();
    inner_.pass(seconds(2));
    asked_.reset();
    add_claim();
    connect_gateway();
    require(inner_.gateway(gateway_).is_welcome, "no welcome");
    constexpr std::uint32_t kGoodLink = 1'001;
    inner_.link_up_ours(gateway_, kGoodLink, 1);
    take_events();
    require(asked_.has_value(), "the device is not asked to prove itself");
    require(attached(true) && inner_.router.is_connected(asked_->device), "not attached");

    connect_app();
    inner_.credit(gateway_, kGoodLink, 1);
    inner_.send(app_, 1, kCall);
    const auto& outcomes = inner_.app(app_).outcomes;
    require(!outcomes.empty() && outcomes.back() == OutcomeCode::HandedOn, "not handed on");
    const auto& messages = inner_.gateway(gateway_).messages;
    require(!messages.empty() && messages.back().message == kCall, "a request does not pass");
    inner_.from_device(gateway_, kGoodLink, messages.back().label, kReply);
    const auto& delivered = inner_.app(app_).delivered;
    require(!delivered.empty() && delivered.back().message == kReply, "an answer does not pass");
    expect_letter_arrives(kGoodLink);
}

// What is sent while the device is away waits for it, and comes when it is back.
void CloudWorld::expect_letter_arrives(std::uint32_t link) {
    inner_.link_down(gateway_, link);
    const Buffer letter{0x1e, 0x77};
    inner_.send(app_, 1, letter, 600);
    // Another link may say that it leads to the device, without an owner: it is told in its place.
    const OutcomeCode outcome = inner_.app(app_).outcomes.back();
    if (outcome == OutcomeCode::HandedOn || outcome == OutcomeCode::MailboxFull) return;
    require(outcome == OutcomeCode::Stored, "a letter is not stored");
    asked_.reset();
    inner_.link_up_ours(gateway_, link + 1, 1);
    take_events();
    require(attached(true), "the device is not asked again");
    for (int i = 0; i < 8; ++i) inner_.credit(gateway_, link + 1, 32);
    const auto is_letter = [&](const Carried& carried) { return carried.message == letter; };
    require(std::ranges::any_of(inner_.gateway(gateway_).messages, is_letter),
            "a letter does not pass");
}

}  // namespace

Part cloud_part() {
    return make_part<CloudWorld>(
        "cloud",
        {"new", "connected", "has-a-stranger", "asks-for-proof", "attached", "has-mail"},
        std::span<const Kind<CloudWorld>>{kKinds});
}

}  // namespace sotto::dead_states
