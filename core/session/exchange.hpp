// SPDX-License-Identifier: Apache-2.0
// A protected request that has been verified, on its way through the server, and what it gets for
// an answer. No allocation; borrows what lives as long as the request is looked at.
#pragma once

#include "core/coap/block.hpp"
#include "core/oscore/message.hpp"
#include "core/session/channel.hpp"
#include "core/session/resources.hpp"
#include "core/session/session_table.hpp"

namespace sotto::session {

struct Exchange {
    // What is said inside a protected response.
    struct Answer {
        coap::Code code = coap::Code::Empty;
        bool has_content = false;
        bool brings_echo = false;
        bool has_own_piv = false;
        bool was_executed = false;  // the same bytes must never run again: keep the answer
        bool is_observed = false;
        Content content = {};
        std::optional<std::uint32_t> max_age_s = std::nullopt;
        std::optional<coap::Block> block1 = std::nullopt;  // the one that was taken
        std::optional<coap::Block> block2 = std::nullopt;  // the one that is shown,
        EntityTag tag = {};                                // of this representation
        std::uint32_t size1 = 0;                           // what can be taken; 0: not said
        std::uint32_t size2 = 0;                           // of the whole; 0: not said
    };

    Channel channel;
    const coap::Header& header;
    SessionEntry& entry;
    const oscore::ContextView& context;
    const oscore::Request& request;
    Instant now;
    bool is_fresh = false;  // it brings an Echo value of this boot and session
    std::optional<coap::Block> block1 = std::nullopt;
    std::optional<coap::Block> block2 = std::nullopt;
    Answer answer = {};

    const coap::Body& body() const { return request.body; }
};

}  // namespace sotto::session
