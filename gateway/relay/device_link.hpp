// SPDX-License-Identifier: Apache-2.0
// One device on the air and its way to a cloud: what it said of itself, two bounded queues, credit
// both ways, a wish to be released. Sans-I/O.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/framing/credit.hpp"
#include "core/framing/frame.hpp"
#include "gateway/relay/cloud_session.hpp"
#include "gateway/relay/limits.hpp"
#include "gateway/relay/output.hpp"

namespace sotto::gateway::relay {

// A copy of what a device said in ATTACH.
struct Introduction {
    explicit Introduction(const framing::Attach& attach)
        : has_owner(attach.has_owner),
          device_id(attach.device_id),
          address(attach.address),
          cloud_credential(attach.cloud_credential) {}
    framing::Attach attach() const { return {has_owner, device_id, address, cloud_credential}; }
    friend bool operator==(const Introduction&, const Introduction&) = default;

    bool has_owner;
    framing::DeviceId device_id;
    std::string address;
    framing::CredentialHash cloud_credential;
};

class DeviceLink {
  public:
    DeviceLink(LinkId id, Instant now) : id_(id), since_(now), last_message_(now) {}

    LinkId id() const { return id_; }
    Instant since() const { return since_; }

    // What it said; nothing before the first ATTACH.
    const std::optional<Introduction>& introduction() const { return introduction_; }
    // False if it has changed its mind too often.
    bool introduce(Introduction introduction);

    // Where its messages go; nothing: nowhere.
    const std::optional<CloudId>& cloud() const { return cloud_; }
    void set_cloud(std::optional<CloudId> cloud) { cloud_ = cloud; }
    // When it has to go if it has not named a cloud until then.
    const std::optional<Instant>& leave_at() const { return leave_at_; }
    void set_leave_at(std::optional<Instant> at) { leave_at_ = at; }

    // LINK_UP was sent on a connection where the link is new.
    void start(std::uint16_t credit);
    // The cloud is gone, and with it what was queued.
    void stop();
    bool is_started() const { return started_; }

    // A message of the device. Dropped if there is no cloud or no room.
    void on_device_message(const framing::Message& message,
                           Instant now,
                           const CloudSession& cloud,
                           Outputs& out);
    // CREDIT. Error::Malformed as in SendCredit.
    Status on_credit(std::uint16_t count, const CloudSession& cloud, Outputs& out);
    // A message of the cloud. Error::Refused as in ReceiveCredit.
    Status on_cloud_message(const framing::uplink::Message& message, Instant now, Outputs& out);
    // So many frames have left. `cloud`: null if it is not open.
    void on_sent(std::size_t count, const CloudSession* cloud, Outputs& out);

    void wish_release(Duration stay_away, Instant now);
    // How long to stay away, if it is idle and was to be released.
    std::optional<Duration> release_due(Instant now);

    std::uint64_t dropped() const { return dropped_; }

  private:
    using Queue = std::deque<std::vector<std::uint8_t>>;
    struct Queued {
        framing::Label label;
        std::vector<std::uint8_t> message;
    };
    struct ReleaseWish {
        Instant since;
        Duration stay_away;
    };

    void pump_cloud(const CloudSession& cloud, Outputs& out);
    void pump_device(Outputs& out);

    LinkId id_;
    Instant since_;
    Instant last_message_;
    std::optional<Introduction> introduction_;
    std::uint32_t attaches_ = 0;
    std::optional<CloudId> cloud_;
    std::optional<Instant> leave_at_;
    std::optional<ReleaseWish> release_wish_;
    bool started_ = false;
    framing::uplink::SendCredit to_cloud_credit_;
    framing::uplink::ReceiveCredit from_cloud_credit_;
    std::deque<Queued> to_cloud_;
    Queue to_device_;
    std::size_t in_air_ = 0;         // given to the air and not yet sent
    std::size_t unpaid_in_air_ = 0;  // of these, the ones of an earlier connection; they come first
    std::uint64_t dropped_ = 0;
};

}  // namespace sotto::gateway::relay
