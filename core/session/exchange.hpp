// SPDX-License-Identifier: Apache-2.0
// A message on its way through the server, and what a protected request gets for an answer. No
// allocation; borrows what lives as long as the message is looked at.
#pragma once

#include "core/coap/block.hpp"
#include "core/oscore/message.hpp"
#include "core/session/channel.hpp"
#include "core/session/moment.hpp"
#include "core/session/resources.hpp"
#include "core/session/session_table.hpp"

namespace sotto::session {

// A request that has come.
struct Arrival {
    Channel channel;
    Moment now;
    Bytes raw;
    const coap::Message& message;
    MutBytes out;  // for its answer

    // Without type and message id, which a repetition may change.
    Bytes from_token() const { return raw.subspan(4); }
};

// A protected request that has been verified.
struct Exchange {
    // What is said inside the response.
    struct Answer {
        // Its options that are numbers, in the order of theirs.
        enum Number : std::uint8_t { Format, MaxAge, Block2, Block1, Size2, Size1, kCount };

        coap::Code code = coap::Code::Empty;
        std::uint8_t said = 0;      // a bit for each Number
        bool is_partial = false;    // there is more of the content
        bool has_tag = false;       // an ETag
        bool brings_echo = false;   // an Echo value
        bool has_own_piv = false;   // it cannot go under the nonce of the request
        bool is_observed = false;   // there will be notifications, or it is one
        bool was_executed = false;  // the same bytes must never run again: keep the answer
        Bytes payload = {};
        EntityTag tag = {};
        std::array<std::uint32_t, kCount> numbers = {};

        void say(Number number, std::uint32_t value) {
            numbers[number] = value;
            said = static_cast<std::uint8_t>(said | 1U << number);
        }
        void unsay(Number number) { said = static_cast<std::uint8_t>(said & ~(1U << number)); }
        void show(session::Format format, Bytes content) {
            say(Format, static_cast<std::uint16_t>(format));
            payload = content;
        }
    };

    const Arrival& arrival;
    SessionEntry& entry;
    const oscore::ContextView& context;
    const oscore::Request& request;
    std::uint32_t piv;
    bool is_fresh = false;      // it brings an Echo value of this boot and session
    bool is_in_blocks = false;  // one of several for a body, or for more of one
    Answer answer = {};
    std::optional<coap::Block> block1 = std::nullopt;
    std::optional<coap::Block> block2 = std::nullopt;

    const coap::Body& body() const { return request.body; }
    Moment when() const { return arrival.now; }
};

}  // namespace sotto::session
