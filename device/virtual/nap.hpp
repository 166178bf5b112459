// SPDX-License-Identifier: Apache-2.0
// A device that sleeps most of the time: it leaves the air for a while, comes back, fetches what
// waits for it, and leaves again once nothing has come for a moment. It keeps its memory and its
// clock meanwhile. Awake as long as it has no owner, and until a handshake is over (message_4).
#pragma once

#include <chrono>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "device/virtual/air_port.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::device {

class Nap {
  public:
    Nap(boost::asio::io_context& loop, Device& device, AirPort& air, Log& log, Duration sleep)
        : timer_(loop), device_(device), air_(air), log_(log), sleep_(sleep) {
        wait(kLook);
    }

  private:
    static constexpr Duration kLook = milliseconds(250);
    static constexpr Duration kAwake = seconds(4);  // after the last frame, or without any

    void wait(Duration time) {
        timer_.expires_after(std::chrono::milliseconds{time.ms});
        timer_.async_wait([this](boost::system::error_code error) {
            if (!error) on_time(ports::SystemClock::now());
        });
    }

    void on_time(Instant now) {
        if (!air_.is_open()) {
            if (const auto opened = air_.open(); !opened) log_.line(opened.error());
            return wait(kLook);
        }
        const bool is_needed = !device_.authority().has_owner() || device_.is_busy(now) ||
                               now - air_.last_used_at() < kAwake;
        if (is_needed) return wait(kLook);
        air_.close();
        wait(sleep_);
    }

    boost::asio::steady_timer timer_;
    Device& device_;
    AirPort& air_;
    Log& log_;
    Duration sleep_;
};

}  // namespace sotto::device
