// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/initiator.hpp"

#include "core/edhoc/message.hpp"

namespace sotto::edhoc {

using namespace initiator;

Result<Bytes> Initiator::compose_message_1(EphemeralKey x, const Message1& options, MutBytes out) {
    if (machine_.in<Start>() == nullptr) return Error::WrongState;
    if (options.suites.empty()) return Error::InvalidArgument;
    const auto suite = find_suite(options.suites.back());
    if (!suite) return Error::Unsupported;
    SOTTO_TRY_ASSIGN(const Bytes message,
                     encode_message_1({.suites_i = options.suites,
                                       .g_x = x.public_key.x,
                                       .c_i = options.c_i,
                                       .ead_1 = options.ead_1},
                                      out));
    auto& next = machine_.enter<Event::ComposeMessage1, Start, WaitMessage2>();
    next.x = std::move(x.private_key);
    next.h_message_1 = crypto::sha256(message);
    next.terms = {.c_i = options.c_i, .c_r = {}, .suite = *suite};
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
    crypto::Prk prk_2e;
    SOTTO_TRY(extract(th_2, {first->x, g_y}, prk_2e));

    const MutBytes plaintext = scratch.first(sealed.size());
    std::ranges::copy(sealed, plaintext.begin());
    apply_keystream_2(prk_2e, th_2, plaintext);
    cbor::Reader in{plaintext};
    const ConnectionId c_r = ConnectionId::read(in);
    SOTTO_TRY(in.status());
    if (c_r == first->terms.c_i) return Error::Refused;  // RFC 9528 §3.3.3: OSCORE's IDs
    SOTTO_TRY_ASSIGN(const Claim claim,
                     read_claim(plaintext, in, mac_size(first->terms.suite), understood));

    const std::uint8_t failure_count = check != nullptr ? check->failure_count : std::uint8_t{0};
    WaitMessage2 message_1 = std::move(*first);
    auto& next = check != nullptr ? machine_.enter<Event::Message2, CheckMessage2, CheckMessage2>()
                                  : machine_.enter<Event::Message2, WaitMessage2, CheckMessage2>();
    next.message_1 = std::move(message_1);
    next.message_1.terms.c_r = c_r;
    next.g_y = g_y;
    next.th_2 = th_2;
    next.prk_2e = std::move(prk_2e);
    next.failure_count = failure_count;
    return claim;
}

Status Initiator::authenticate(const Claim& claim, const cose::Credential& credential_r) {
    auto* state = machine_.in<CheckMessage2>();
    if (state == nullptr) return Error::WrongState;
    SOTTO_TRY(check_credential(identity_, claim, credential_r));
    const Terms terms = state->message_1.terms;
    crypto::Prk prk_3e2m;
    SOTTO_TRY(extract_next(state->prk_2e,
                           Label::Salt3e2m,
                           state->th_2,
                           {state->message_1.x, credential_r.public_key()},
                           prk_3e2m));
    const Bytes cred = credential_r.bytes();
    const MacContext context{&terms.c_r, claim.id_cred, state->th_2, cred, claim.ead.encoded()};
    if (!verify_mac(prk_3e2m, Label::Mac2, context, claim.mac)) {
        if (++state->failure_count < kVerifyFailureCountMax) return Error::Unauthenticated;
        return machine_.fail(Error::Unauthenticated);
    }
    const crypto::DhPublicKey g_y = state->g_y;
    const crypto::Hash th_3 = transcript_after(state->th_2, claim.plaintext, cred);
    auto& next = machine_.enter<Event::Authenticate, CheckMessage2, Authenticated>();
    next.g_y = g_y;
    next.th_3 = th_3;
    next.prk_3e2m = std::move(prk_3e2m);
    next.terms = terms;
    return {};
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
    const Terms terms = state->terms;
    const cose::IdCred id_cred = id_cred_i(form);
    const Bytes cred = identity_.credential.bytes();
    if (out.size() < kHeadRoom) return Error::NoSpace;
    SOTTO_TRY_ASSIGN(
        const Draft draft,
        draft_plaintext({nullptr, id_cred, ead_3}, mac_size(terms.suite), out.subspan(kHeadRoom)));
    crypto::Prk prk_4e3m;
    SOTTO_TRY(extract_next(state->prk_3e2m,
                           Label::Salt4e3m,
                           state->th_3,
                           {identity_.private_key, state->g_y},
                           prk_4e3m));
    compute_mac(prk_4e3m, Label::Mac3, {nullptr, id_cred, state->th_3, cred, draft.ead}, draft.mac);
    const crypto::Hash th_4 = transcript_after(state->th_3, draft.plaintext, cred);
    const MessageKeys keys{state->prk_3e2m, Label::K3, state->th_3, terms.suite};
    SOTTO_TRY_ASSIGN(const Bytes message, seal_and_wrap(keys, draft.plaintext.size(), out));

    auto& next = machine_.enter<Event::ComposeMessage3, Authenticated, WaitMessage4>();
    next.prk_4e3m = std::move(prk_4e3m);
    next.th_4 = th_4;
    next.exporter.init(next.prk_4e3m, th_4);
    next.terms = terms;
    return message;
}

Result<Ead> Initiator::on_message_4(Bytes message, MutBytes scratch, EadLabels understood) {
    auto* state = machine_.in<WaitMessage4>();
    if (state == nullptr) return Error::WrongState;
    const MessageKeys keys{state->prk_4e3m, Label::K4, state->th_4, state->terms.suite};
    SOTTO_TRY_ASSIGN(const Bytes plaintext, unwrap_and_open(keys, message, scratch));
    cbor::Reader in{plaintext};
    const Ead ead_4 = Ead::read(in, understood);
    if (const Status read = in.status(); !read) return machine_.fail(read.error()).error();
    Done done{.exporter = std::move(state->exporter), .terms = state->terms};
    machine_.enter<Event::Message4, WaitMessage4, Done>() = std::move(done);
    return ead_4;
}

std::optional<Initiator::Keys> Initiator::keys() const {
    if (const auto* done = machine_.in<Done>()) return Keys{done->exporter, done->terms};
    if (const auto* state = machine_.in<WaitMessage4>()) return Keys{state->exporter, state->terms};
    return std::nullopt;
}

Status Initiator::exporter(std::uint32_t label, Bytes context, MutBytes out) const {
    const auto keys = this->keys();
    if (!keys) return Error::WrongState;
    return keys->exporter.derive(label, context, out);
}

Result<OscoreKeys> Initiator::export_oscore() const {
    const auto keys = this->keys();
    if (!keys) return Error::WrongState;
    return keys->exporter.oscore(keys->terms.c_r, keys->terms.c_i);
}

}  // namespace sotto::edhoc
