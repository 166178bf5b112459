// SPDX-License-Identifier: Apache-2.0
// The state machine of a gateway: which device is offered to which cloud, messages both ways,
// credit, release. It carries messages and looks into none; it has no key
// (docs/protocol/uplink.md). Sans-I/O: stimuli in, outputs pulled. Allocates; what it holds is
// bounded by limits.hpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "gateway/relay/backoff.hpp"
#include "gateway/relay/cloud_session.hpp"
#include "gateway/relay/device_link.hpp"
#include "gateway/relay/grace.hpp"
#include "gateway/relay/output.hpp"
#include "gateway/relay/tag_book.hpp"

namespace sotto::gateway::relay {

struct Cloud {
    std::string address;  // "host:port", as devices name it
    std::string token;    // of this gateway there; 1 to kTokenSizeMax visible ASCII characters
};

// Whom a gateway serves.
struct Admission {
    bool is_by_tag = false;                    // of devices with tags, those whose tags are given
    std::vector<framing::DeviceId> devices{};  // none named: all. Nothing proves what a device says
};

class Relay {
  public:
    // The allow-list: 1 to kCloudsMax clouds, the first of them the default.
    explicit Relay(const std::vector<Cloud>& clouds, Admission admission = {});

    // A device is on the air and subscribed to. `link` is above all links so far.
    void on_link_up(LinkId link, Instant now);
    // Any bytes of the device. False if they are no frame.
    bool on_frame(LinkId link, Bytes frame, Instant now);
    // So many of the frames for it have left.
    void on_sent(LinkId link, std::size_t frame_count);
    // It is gone. Links that are not known (any more) are no mistake, here and above.
    void on_link_down(LinkId link, Instant now);

    void on_uplink_up(CloudId cloud, Instant now);
    // Type and body of a record: any bytes of the cloud.
    void on_uplink_record(CloudId cloud, Bytes record, Instant now);
    void on_uplink_down(CloudId cloud, Instant now, Jitter jitter);

    // To be called at least every 100 ms.
    void on_time(Instant now);

    // What is to be done next; ask until there is nothing.
    std::optional<Output> next_output();

    // Whether to connect to a device with this tag, or without one.
    bool is_welcome(const std::optional<framing::Tag>& tag, Instant now) const;
    // How many tags a cloud has given.
    std::size_t tag_count(CloudId cloud) const { return tags_[cloud.value()].size(); }

    const std::string& address(CloudId cloud) const { return clouds_[cloud.value()].address(); }
    std::size_t link_count() const { return links_.size(); }

  private:
    using Links = std::map<LinkId, DeviceLink>;

    void on_attach(DeviceLink& link, const framing::Attach& attach, Instant now);
    void route(DeviceLink& link, Instant now);
    void offer(DeviceLink& link, CloudId cloud);
    void withdraw(DeviceLink& link);
    void announce(DeviceLink& link);
    void on_link_time(DeviceLink& link, Instant now);
    void close_link(DeviceLink& link, Close why, Duration stay_away, Instant now);

    void on_welcomed(CloudId cloud);
    void on_link_record(CloudId cloud, const framing::uplink::Record& record, Instant now);
    std::optional<CloudId> find_cloud(const std::string& address) const;
    // The link if this cloud is told of it; what it says of others is late, or a lie.
    DeviceLink* find_started(LinkId link, CloudId cloud);
    CloudSession& session(CloudId cloud) { return clouds_[cloud.value()]; }
    CloudSession* open_session(const DeviceLink& link);

    bool is_admitted(const framing::DeviceId& device) const;

    Admission admission_;
    std::vector<CloudSession> clouds_;
    std::vector<TagBook> tags_;  // one for each of them
    Links links_;
    Grace grace_;
    LinkId newest_link_;
    Outputs outputs_;
};

}  // namespace sotto::gateway::relay
