// SPDX-License-Identifier: Apache-2.0
// Sets the pace of links of one adapter, which BlueZ has no call for: by a raw socket to the
// controller, beside bluetoothd. The kernel wants CAP_NET_RAW for that. The socket is open only
// until the controller has answered: it hears all that is advertised, and keeps the adapter's
// number taken when that is unplugged. Allocates; never blocks; everything happens in the thread
// that runs the io_context.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/central.hpp"

namespace sotto::air::bluez {

class Pacer : public std::enable_shared_from_this<Pacer> {
  public:
    // `adapter`: hci0, ...
    Pacer(boost::asio::io_context& loop, const std::string& adapter);

    // Asks for it, for the link to this address.
    void set(const std::string& address, const Pace& pace);
    // What the controller has granted, or why it has not; nothing if that is not known.
    std::optional<LinkPace> of(const std::string& address) const;

  private:
    struct Asked {
        std::uint16_t handle = 0;
        LinkPace state{};
        bool is_waiting = false;  // for the controller's answer
    };
    // Nothing, or why not.
    std::string open();
    std::string send(const std::string& address, const Pace& pace);
    std::optional<std::uint16_t> find_handle(const std::string& address);
    void wait();
    bool read();
    void give_up();
    bool is_waiting() const;

    boost::asio::io_context& loop_;
    std::optional<std::uint16_t> number_;  // of the adapter
    std::optional<boost::asio::posix::stream_descriptor> socket_;
    boost::asio::steady_timer timer_;
    std::map<std::string, Asked> asked_;  // by address
};

}  // namespace sotto::air::bluez
