// SPDX-License-Identifier: Apache-2.0
// A bluz board: the strict device of legacy_device.hpp behind the bluz GATT service, as its
// firmware does that. It keeps what a lost link has cut off, overruns its buffers where the
// firmware would, and takes the second byte of a frame for an index. Written from what is known of
// the firmware, and not from the gateway's code. Sans-I/O; for tests only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "testing/particle/legacy_device.hpp"

namespace sotto::testing {

class BluzDevice {
  public:
    struct Setup {
        LegacyDevice::Setup legacy;
        // The header as a value of its own, as some do it.
        bool sends_header_alone = false;
        // It waits so long after the subscription, and again after CONNECT.
        Duration wait = seconds(2);
        // Manual mode: no cloud.
        bool is_local_only = false;
        // Firmware 1.0.47: a wrong header before its first frame.
        bool sends_wrong_connect = false;
    };
    // `furnish` gets every new session, to add functions and variables.
    BluzDevice(Setup setup, std::function<void(LegacyDevice&)> furnish);

    // The link: notifications have been switched on; it is gone, and with it what was to be sent.
    void on_subscribed(Instant now);
    void on_link_lost();
    // What the central writes.
    void on_value(Bytes value);
    // One turn of its loop. False if there is nothing to do before time passes.
    bool step(Instant now);
    // The next notification.
    std::optional<std::vector<std::uint8_t>> take_value();

    // Custom data, to whatever central there is.
    void send_custom(Bytes data);
    std::function<void(Bytes)> on_custom = [](Bytes) {};

    // The session with the cloud; null while there is none.
    LegacyDevice* session() { return session_ ? &*session_ : nullptr; }
    // What would have broken the firmware; it hangs up the link. Kept until the next subscription.
    const std::string& trouble() const { return trouble_; }

  private:
    void on_frame(Bytes frame);
    void send_frame(const std::vector<std::uint8_t>& header, Bytes payload);
    void send_output();
    void hang_up(const std::string& why);

    Setup setup_;
    std::function<void(LegacyDevice&)> furnish_;
    bool is_subscribed_ = false;
    std::optional<Instant> connect_at_;
    std::optional<Instant> listen_at_;
    std::optional<LegacyDevice> session_;
    std::vector<std::uint8_t> frame_;  // of the central, under way; outlives the link
    std::deque<std::vector<std::uint8_t>> values_;
    std::string trouble_;
};

}  // namespace sotto::testing
