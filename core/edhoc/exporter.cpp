// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/exporter.hpp"

namespace sotto::edhoc {
namespace {

constexpr std::uint32_t kOscoreSecretLabel = 0;  // RFC 9528 §10.1
constexpr std::uint32_t kOscoreSaltLabel = 1;

}  // namespace

void Exporter::init(const crypto::Prk& prk_4e3m, const crypto::Hash& th_4) {
    const crypto::Prk prk_out = derive_prk(prk_4e3m, Label::PrkOut, th_4);
    kdf(prk_out, static_cast<std::uint32_t>(Label::PrkExporter), {}, prk_exporter_.fill());
}

Status Exporter::derive(std::uint32_t label, Bytes context, MutBytes out) const {
    if (out.size() > kKdfSizeMax) return Error::TooLarge;
    kdf(prk_exporter_, label, Pieces{&context, 1}, out);
    return {};
}

void Exporter::oscore(const ConnectionId& sender_id,
                      const ConnectionId& recipient_id,
                      OscoreKeys& keys) const {
    kdf(prk_exporter_, kOscoreSecretLabel, {}, keys.master_secret.fill());
    kdf(prk_exporter_, kOscoreSaltLabel, {}, keys.master_salt.fill());
    keys.sender_id = sender_id;
    keys.recipient_id = recipient_id;
}

}  // namespace sotto::edhoc
