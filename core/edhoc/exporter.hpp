// SPDX-License-Identifier: Apache-2.0
// What a handshake leaves behind: keys for applications (RFC 9528 §4.2.1, A.1). No allocation.
#pragma once

#include "core/edhoc/connection_id.hpp"
#include "core/edhoc/key_schedule.hpp"

namespace sotto::edhoc {

inline constexpr std::size_t kOscoreSecretSize = 16;
inline constexpr std::size_t kOscoreSaltSize = 8;
using OscoreSecret = Secret<kOscoreSecretSize, struct OscoreSecretTag>;
using OscoreSalt = Secret<kOscoreSaltSize, struct OscoreSaltTag>;

// The input of an OSCORE Security Context with AES-CCM-16-64-128 and HKDF SHA-256.
struct OscoreKeys {
    OscoreSecret master_secret;
    OscoreSalt master_salt;
    ConnectionId sender_id;
    ConnectionId recipient_id;
};

class Exporter {
  public:
    Exporter() = default;
    // From PRK_4e3m and TH_4, by way of PRK_out.
    void init(const crypto::Prk& prk_4e3m, const crypto::Hash& th_4);

    // EDHOC_Exporter(label, context, out.size()). Error::TooLarge over 255 * 32 bytes.
    Status derive(std::uint32_t label, Bytes context, MutBytes out) const;
    // RFC 9528 A.1: the Initiator sends under C_R and receives under C_I, the Responder reversed.
    void oscore(const ConnectionId& sender_id,
                const ConnectionId& recipient_id,
                OscoreKeys& keys) const;

    // It is void, and what it was made of is wiped.
    void clear() { prk_exporter_.clear(); }

  private:
    crypto::Prk prk_exporter_;
};

}  // namespace sotto::edhoc
