// SPDX-License-Identifier: Apache-2.0
// What somebody pastes as a key or an invitation. Whatever is taken is written again, and that is
// taken as the same.
#include "app/client/invitation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto;
    const std::string text{as_text(Bytes{data, size})};
    if (const auto key = app::parse_key(text)) {
        const auto again = app::parse_key(app::encode_key(*key));
        SOTTO_ASSERT(again && *again == *key);
    }
    if (const auto invitation = app::parse_invitation(text)) {
        const auto again = app::parse_invitation(app::encode_invitation(*invitation));
        SOTTO_ASSERT(again && equal(again->device, invitation->device));
        SOTTO_ASSERT(equal(again->token, invitation->token) && again->name == invitation->name);
        SOTTO_ASSERT(again->tag_key.has_value() == invitation->tag_key.has_value());
    }
    return 0;
}
