// SPDX-License-Identifier: Apache-2.0
// What a device may have beside its functions, variables and events: it names its parts in
// Server::Setup, and what no image names is not linked into it. No allocation.
#pragma once

#include "core/edhoc/ead.hpp"
#include "core/session/exchange.hpp"
#include "core/session/network.hpp"

namespace sotto::session {

class Server;
struct ServerSetup;

// A resource at a path of its own.
class Part {
  public:
    struct Place {
        const char* path;
        Role role = Role::Trusted;  // that it is for; Trusted: any but the cloud
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

// Somebody whose key has been verified, and who is neither the owner nor the cloud.
struct Visitor {
    const cose::Credential& credential;
    const edhoc::Ead& ead_3;  // with the access token, if he brings one
    const Authority& authority;
    const ServerSetup& setup;
    Moment now;
};

// Who else may have a session: Guests.
class Admission : public Part {
  public:
    using Part::Part;

    // The n-th credential known here that an ID_CRED_I may mean; null: there are no more.
    virtual const cose::Credential* candidate(const cose::IdCred& id_cred, std::size_t n) const = 0;
    // Whether somebody may have a session, and as what. Changes nothing.
    virtual PairingVerdict admit(const Visitor& visitor, Role& role) = 0;
    // The guest who was admitted last has this session.
    virtual void begin(const SessionEntry& session, const ServerSetup& setup) = 0;
    // Whether somebody may use this resource, if he is a guest.
    virtual bool permits(const Server& server,
                         const Exchange& exchange,
                         ResourceKind kind,
                         std::uint8_t index) const = 0;

  protected:
    ~Admission() = default;
};

// All that a device has of these.
struct Parts {
    std::span<Part* const> resources = {};
    Deferral* deferral = nullptr;    // null: NotAfter is an option that is not understood
    Blockwise* blockwise = nullptr;  // null: so are Block1 and Block2
    Network* network = nullptr;      // null: it goes to no cloud
    Admission* admission = nullptr;  // null: it obeys nobody but its owner
};

}  // namespace sotto::session
