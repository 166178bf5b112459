// SPDX-License-Identifier: Apache-2.0
// EDHOC over CoAP with any Responder (RFC 9528 A.2), without our own EAD. Allocates; blocks as
// CoapExchange does.
#pragma once

#include "app/client/coap_exchange.hpp"
#include "core/edhoc/initiator.hpp"
#include "core/oscore/context.hpp"

namespace sotto::app {

struct EdhocSetup {
    edhoc::Identity identity;
    cose::CredentialForm form = cose::CredentialForm::Kid;
    const cose::Credential& peer;
    Duration patience = seconds(20);
};

// An OSCORE context with the holder of the peer's credential. Trouble::NotTheDevice if somebody
// else answers, Trouble::Refused if the server does not want us; others as CoapExchange::send().
Outcome<oscore::Context> shake_hands(CoapExchange& exchange,
                                     hal::Entropy& entropy,
                                     const EdhocSetup& setup);

}  // namespace sotto::app
