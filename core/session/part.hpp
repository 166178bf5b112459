// SPDX-License-Identifier: Apache-2.0
// What a device may have beside its functions, variables and events: it names its parts in
// Server::Setup, and what no image names is not linked into it. No allocation.
#pragma once

#include "core/session/exchange.hpp"
#include "core/session/network.hpp"

namespace sotto::session {

class Server;

// A resource at a path of its own.
class Part {
  public:
    struct Place {
        const char* path;
        Role role = Role::Trusted;  // that it is for; Trusted: any but the cloud's
        bool takes_blocks = false;  // [SES-80] the others take and give one message only
    };
    // `place` is borrowed.
    constexpr explicit Part(const Place& place) : place_(place) {}

    const Place& place() const { return place_; }

    // A request to it, whose role has been looked at, its method not. The code of the answer, whose
    // other parts go into the exchange. A request that changes something goes through
    // Server::admit() first and Server::keep_result() last.
    virtual coap::Code handle(Server& server, Exchange& exchange) = 0;

    // Every request that is no replay and has had its challenge comes by here, whatever it is for.
    virtual void hear(const Exchange&) {}
    // Once in a while, with Server::poll().
    virtual void poll(Server&, Moment) {}

  protected:
    ~Part() = default;

  private:
    const Place& place_;
};

// Commands that may come late [SES-90]: TimePart.
class Deferral {
  public:
    // As Server::admit(), for a command with this NotAfter, whose number has been stored.
    virtual coap::Code admit(Server& server, Exchange& exchange, std::uint32_t not_after) = 0;

  protected:
    ~Deferral() = default;
};

// A function that is to be called, in formats that are ours.
struct Call {
    const Traits& traits;
    Format format = Format::Text;  // of the argument
    Format wanted = Format::Text;  // of the result
};

// What is larger than one message [SES-80]: BlockTransfers.
class Blockwise {
  public:
    // Puts Block1 and Block2 of the request into the exchange. False: one of them is malformed.
    virtual bool read(Exchange& exchange) const = 0;
    // A request to a function, of which all but the block options has been looked at.
    virtual coap::Code call(Server& server, Exchange& exchange, const Call& call) = 0;
    // As Server::show(), of the block that is asked for.
    virtual coap::Code show(Server& server,
                            Exchange& exchange,
                            Format format,
                            const Traits* variable) = 0;
    // What is kept of this session ends with it.
    virtual void forget(std::uint8_t session) = 0;
    virtual void forget_all() = 0;

  protected:
    ~Blockwise() = default;
};

// All that a device has of these.
struct Parts {
    std::span<Part* const> resources = {};
    Deferral* deferral = nullptr;    // null: NotAfter is an option that is not understood
    Blockwise* blockwise = nullptr;  // null: so are Block1 and Block2
    Network* network = nullptr;      // null: it goes to no cloud
};

}  // namespace sotto::session
