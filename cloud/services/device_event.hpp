// SPDX-License-Identifier: Apache-2.0
// The seam between the router, which holds no key, and the cloud's own sessions with devices, which
// do nothing but hold keys. The router says what happened on a link; the sessions answer through
// Router::send_link_message(), on_attached() and on_attach_failed().
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "cloud/model/ids.hpp"
#include "core/base/strong.hpp"

namespace sotto::cloud::services {

// One link of one gateway, as long as it lasts; never used again in this process.
using LinkKey = Strong<std::uint64_t, struct LinkKeyTag>;

// A link says that it leads to `device`, whose owner chose this cloud: let it prove that. Comes
// again for the same link when the device introduces itself anew; then start anew.
struct StartAttach {
    LinkKey link;
    model::DeviceId device{};
    // What the device proved before, if it is registered: nothing else will do.
    std::optional<model::CredentialHash> credential;
};

// A message of the link under the cloud's own label. The device is what the link says it is.
struct LinkMessage {
    LinkKey link;
    model::DeviceId device{};
    std::vector<std::uint8_t> message;
};

// Nothing more will come from this link; forget what was under way on it.
struct LinkGone {
    LinkKey link;
};

using DeviceEvent = std::variant<StartAttach, LinkMessage, LinkGone>;

// What a device has proved: that it holds the key of `credential`.
struct Proof {
    model::DeviceId device{};
    model::CredentialHash credential{};
    std::optional<model::ClaimCode> claim;  // what its owner gave it to show
};

}  // namespace sotto::cloud::services
