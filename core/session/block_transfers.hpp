// SPDX-License-Identifier: Apache-2.0
// Arguments and results of functions, variables and the description that come or go in blocks
// (RFC 7959; docs/protocol/session.md, SES-80 to SES-85). No allocation.
#pragma once

#include "core/session/part.hpp"
#include "core/session/transfers.hpp"

namespace sotto::session {

class BlockTransfers final : public Blockwise {
  public:
    bool read(Exchange& exchange) const override;
    coap::Code call(Server& server, Exchange& exchange, const Call& call) override;
    coap::Code show(Server& server,
                    Exchange& exchange,
                    Format format,
                    const Traits* variable) override;
    void forget(std::uint8_t session) override { transfers_.remove(session); }
    void forget_all() override { transfers_.clear(); }

  private:
    // A request to a function on its way through.
    struct Turn {
        Server& server;
        Exchange& exchange;
        const Call& call;
        TransferKey key;
    };

    coap::Code take_block(Turn& turn);
    coap::Code run_function(Turn& turn);
    coap::Code show_result(Turn& turn, Transfer& transfer);
    coap::Code go_on_with_result(Turn& turn);
    coap::Code refuse_as_too_large(Turn& turn);

    Transfers transfers_;
};

}  // namespace sotto::session
