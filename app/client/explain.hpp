// SPDX-License-Identifier: Apache-2.0
// What an answer of a device means to its user: the one place where codes become words. Allocates.
#pragma once

#include <string>

#include "app/client/failure.hpp"
#include "core/coap/code.hpp"
#include "core/session/client.hpp"

namespace sotto::app {

// What was asked for, as in `function "lamp"`.
struct Subject {
    std::string kind;  // function, variable, event; or a job in words
    std::string name;
};

// Why a device did not do something. Precondition: !coap::is_success(code).
Failure explain(coap::Code code, const Subject& subject);

// Why a device did not take a new owner. Precondition: verdict != Accepted.
Failure explain(session::PairingVerdict verdict);

// Why a job with a device ended without its answer.
Failure explain(session::Reason reason);

}  // namespace sotto::app
