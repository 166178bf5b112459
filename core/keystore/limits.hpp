// SPDX-License-Identifier: Apache-2.0
// Limits of what is kept of guests. Choices of ours (docs/protocol/session.md, SES-33, SES-37).
#pragma once

#include <cstddef>

namespace sotto::keystore {

inline constexpr std::size_t kTokenSizeMax = 192;  // bytes of an access token
inline constexpr std::size_t kRevokedTokens = 16;  // that a device remembers, each until its end

}  // namespace sotto::keystore
