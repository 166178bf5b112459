// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/initiator.hpp"

#include "core/edhoc/message.hpp"

namespace sotto::edhoc {

using namespace initiator;

Result<Bytes> Initiator::compose_message_1(EphemeralKey x, const Message1& options, MutBytes out) {
    if (machine_.in<Start>() == nullptr) return Error::WrongState;
    Message1Head head{.suites_i = {}, .g_x = x.public_key.x, .c_i = options.c_i};
    for (const SuiteLabel label : options.suites) SOTTO_TRY(head.suites_i.try_push_back(label));
    if (head.suites_i.empty()) return Error::InvalidArgument;
    const auto suite = find_suite(head.suites_i.back());
    if (!suite) return Error::Unsupported;
    SOTTO_TRY_ASSIGN(const Bytes message, encode_message_1(head, options.ead_1, out));
    SOTTO_TRY(machine_.enter(Event::ComposeMessage1,
                             WaitMessage2{.x = std::move(x.private_key),
                                          .h_message_1 = crypto::sha256(message),
                                          .c_i = options.c_i,
                                          .suite = *suite}));
    return message;
}

Result<Claim> Initiator::on_message_2(Bytes message, MutBytes scratch, EadLabels understood) {
    auto* check = machine_.in<CheckMessage2>();
    auto* first = check != nullptr ? &check->message_1 : machine_.in<WaitMessage2>();
    if (first == nullptr) return Error::WrongState;

    SOTTO_TRY_ASSIGN(const Bytes content, unwrap(message));
    if (content.size() < crypto::kDhSize) return Error::Malformed;
    const Bytes sealed = content.subspan(crypto::kDhSize);
    if (sealed.size() > scratch.size()) return Error::NoSpace;
    SOTTO_TRY_ASSIGN(const crypto::DhPublicKey g_y,
                     crypto::dh_import_x(content.first<crypto::kDhSize>()));
    const crypto::Hash th_2 = transcript_2(g_y.x, first->h_message_1);
    SOTTO_TRY_ASSIGN(const crypto::DhSecret g_xy, crypto::dh_agree(first->x, g_y));
    crypto::Prk prk_2e = crypto::hkdf_extract(th_2, g_xy.expose());

    const MutBytes plaintext = scratch.first(sealed.size());
    std::copy(sealed.begin(), sealed.end(), plaintext.begin());
    const Bytes context{th_2};
    kdf_xor(prk_2e, static_cast<std::uint32_t>(Label::Keystream2), {&context, 1}, plaintext);
    cbor::Reader in{plaintext};
    SOTTO_TRY_ASSIGN(const ConnectionId c_r, ConnectionId::read(in));
    if (c_r == first->c_i) return Error::Refused;  // RFC 9528 §3.3.3: they become OSCORE's IDs
    SOTTO_TRY_ASSIGN(const Claim claim,
                     read_claim(plaintext, in, mac_size(first->suite), understood));

    CheckMessage2 next{.message_1 = std::move(*first),
                       .g_y = g_y,
                       .th_2 = th_2,
                       .prk_2e = std::move(prk_2e),
                       .c_r = c_r,
                       .failure_count = check != nullptr ? check->failure_count : std::uint8_t{0}};
    SOTTO_TRY(machine_.enter(Event::Message2, std::move(next)));
    return claim;
}

Status Initiator::authenticate(const Claim& claim, const cose::Credential& credential_r) {
    auto* check = machine_.in<CheckMessage2>();
    if (check == nullptr) return Error::WrongState;
    SOTTO_TRY(check_credential(identity_, claim, credential_r));
    const WaitMessage2& first = check->message_1;
    SOTTO_TRY_ASSIGN(const crypto::DhSecret g_rx,
                     crypto::dh_agree(first.x, credential_r.public_key()));
    crypto::Prk prk_3e2m = next_prk(check->prk_2e, Label::Salt3e2m, check->th_2, g_rx);

    Scratch<kMacSizeMax> buffer;
    const MutBytes mac_2 = buffer.bytes().first(mac_size(first.suite));
    const MacContext context{.c_r = &check->c_r,
                             .id_cred = claim.id_cred,
                             .th = check->th_2,
                             .cred = credential_r.bytes(),
                             .ead = claim.ead.encoded()};
    compute_mac(prk_3e2m, Label::Mac2, context, mac_2);
    if (!ct_equal(mac_2, claim.mac)) {
        if (++check->failure_count < kVerifyFailureCountMax) return Error::Unauthenticated;
        return machine_.fail(Error::Unauthenticated);
    }
    Authenticated next{.g_y = check->g_y,
                       .th_3 = transcript_after(check->th_2, claim.plaintext, credential_r.bytes()),
                       .prk_3e2m = std::move(prk_3e2m),
                       .c_i = first.c_i,
                       .c_r = check->c_r,
                       .suite = first.suite};
    return machine_.enter(Event::Authenticate, std::move(next));
}

Result<crypto::Hash> Initiator::th_3() const {
    const auto* state = machine_.in<Authenticated>();
    if (state == nullptr) return Error::WrongState;
    return state->th_3;
}

Result<Bytes> Initiator::compose_message_3(cose::CredentialForm form,
                                           std::span<const EadItem> ead_3,
                                           MutBytes out) {
    const auto* state = machine_.in<Authenticated>();
    if (state == nullptr) return Error::WrongState;
    const cose::IdCred id_cred = id_cred_i(form);
    const Bytes cred = identity_.credential.bytes();
    if (out.size() < kHeadRoom) return Error::NoSpace;
    SOTTO_TRY_ASSIGN(
        const Draft draft,
        draft_plaintext(nullptr, id_cred, mac_size(state->suite), ead_3, out.subspan(kHeadRoom)));
    SOTTO_TRY_ASSIGN(const crypto::DhSecret g_iy,
                     crypto::dh_agree(identity_.private_key, state->g_y));
    crypto::Prk prk_4e3m = next_prk(state->prk_3e2m, Label::Salt4e3m, state->th_3, g_iy);
    const MacContext context{.id_cred = id_cred, .th = state->th_3, .cred = cred, .ead = draft.ead};
    compute_mac(prk_4e3m, Label::Mac3, context, draft.mac);
    const crypto::Hash th_4 = transcript_after(state->th_3, draft.plaintext, cred);

    const MessageKeys keys{state->prk_3e2m, Label::K3, state->th_3, state->suite};
    const auto message = seal_and_wrap(keys, draft.plaintext.size(), out);
    if (!message) {
        wipe(draft.plaintext);
        return message.error();
    }
    Exporter exporter{derive_prk(prk_4e3m, Label::PrkOut, th_4)};
    WaitMessage4 next{.prk_4e3m = std::move(prk_4e3m),
                      .th_4 = th_4,
                      .exporter = std::move(exporter),
                      .c_i = state->c_i,
                      .c_r = state->c_r,
                      .suite = state->suite};
    SOTTO_TRY(machine_.enter(Event::ComposeMessage3, std::move(next)));
    return message;
}

Result<Ead> Initiator::on_message_4(Bytes message, MutBytes scratch, EadLabels understood) {
    auto* state = machine_.in<WaitMessage4>();
    if (state == nullptr) return Error::WrongState;
    const MessageKeys keys{state->prk_4e3m, Label::K4, state->th_4, state->suite};
    SOTTO_TRY_ASSIGN(const Bytes plaintext, unwrap_and_open(keys, message, scratch));
    cbor::Reader in{plaintext};
    auto ead_4 = Ead::read(in, understood);
    if (!ead_4) {
        SOTTO_TRY(machine_.fail(ead_4.error()));
    }
    Done next{.exporter = std::move(state->exporter), .c_i = state->c_i, .c_r = state->c_r};
    SOTTO_TRY(machine_.enter(Event::Message4, std::move(next)));
    return ead_4;
}

Status Initiator::exporter(std::uint32_t label, Bytes context, MutBytes out) const {
    if (const auto* done = machine_.in<Done>()) return done->exporter.derive(label, context, out);
    const auto* waiting = machine_.in<WaitMessage4>();
    if (waiting == nullptr) return Error::WrongState;
    return waiting->exporter.derive(label, context, out);
}

Result<OscoreKeys> Initiator::export_oscore() const {
    if (const auto* done = machine_.in<Done>()) return done->exporter.oscore(done->c_r, done->c_i);
    const auto* waiting = machine_.in<WaitMessage4>();
    if (waiting == nullptr) return Error::WrongState;
    return waiting->exporter.oscore(waiting->c_r, waiting->c_i);
}

}  // namespace sotto::edhoc
