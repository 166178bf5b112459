// SPDX-License-Identifier: Apache-2.0
// Looks after the device once in a second, for what ends by time alone.
#pragma once

#include <chrono>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "device/virtual/device.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::device {

class Heartbeat {
  public:
    Heartbeat(boost::asio::io_context& loop, Device& device) : timer_(loop), device_(device) {
        wait();
    }

  private:
    void wait() {
        timer_.expires_after(std::chrono::seconds{1});
        timer_.async_wait([this](boost::system::error_code error) {
            if (error) return;
            device_.settle(ports::SystemClock::now());
            wait();
        });
    }

    boost::asio::steady_timer timer_;
    Device& device_;
};

}  // namespace sotto::device
