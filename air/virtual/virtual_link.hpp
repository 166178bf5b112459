// SPDX-License-Identifier: Apache-2.0
// One link of a central of the virtual air. Allocates; never blocks.
#pragma once

#include <memory>

#include <boost/asio/io_context.hpp>

#include "air/central.hpp"
#include "air/virtual/knock.hpp"

namespace sotto::air {

class VirtualLink final : public Link {
  public:
    struct Options {
        Place place;
        Wanted wanted;
        Duration patience;
    };

    // Starts at once. `handler` must live as long as the link.
    VirtualLink(boost::asio::io_context& loop, Options options, LinkHandler& handler);
    ~VirtualLink() override;
    VirtualLink(const VirtualLink&) = delete;
    VirtualLink& operator=(const VirtualLink&) = delete;

    Status send(Bytes frame) override;
    Status write(Bytes value) override;

  private:
    class Core;
    std::shared_ptr<Core> core_;
};

}  // namespace sotto::air
