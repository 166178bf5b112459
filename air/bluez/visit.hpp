// SPDX-License-Identifier: Apache-2.0
// A link that asks a device who it is, and that whoever looked for it can go on with: to connect
// once more would take seconds. Allocates; never blocks.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "air/central.hpp"

namespace sotto::air::bluez {

class Visit final : public LinkHandler, public std::enable_shared_from_this<Visit> {
  public:
    explicit Visit(boost::asio::io_context& loop) : loop_(loop) {}

    // A link whose handler this is.
    void begin(std::unique_ptr<Link> link) { link_ = std::move(link); }
    // Who it is, when it has said so.
    const std::optional<Sighting>& seen() const { return seen_; }
    bool is_over() const { return is_over_; }

    // The link, whose calls go to `handler` from now on, which must live as long as the link.
    // Precondition: seen(), not is_over(), once.
    std::unique_ptr<Link> hand_over(LinkHandler& handler);

    void on_connected(const Sighting& sighting) override;
    void on_frame(Bytes bytes) override;
    void on_value(Bytes value) override;
    void on_sent(std::size_t count) override;
    void on_dropped() override;
    void on_disconnected(Disconnect why) override;

  private:
    class Handed;

    boost::asio::io_context& loop_;
    std::unique_ptr<Link> link_;
    LinkHandler* handler_ = nullptr;
    Sighting sighting_;
    std::optional<Sighting> seen_;
    bool is_over_ = false;
};

}  // namespace sotto::air::bluez
