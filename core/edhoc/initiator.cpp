// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/initiator.hpp"

#include "core/edhoc/message.hpp"

namespace sotto::edhoc {

Result<Bytes> Initiator::compose_message_1(EphemeralKey x, const Message1& options, MutBytes out) {
    if (!machine_.is(State::Start)) return Error::WrongState;
    if (options.suites.empty()) return Error::InvalidArgument;
    const auto suite = find_suite(options.suites.back());
    if (!suite) return Error::Unsupported;
    SOTTO_TRY_ASSIGN(const Bytes message,
                     encode_message_1({.suites_i = options.suites,
                                       .g_x = x.public_key.x,
                                       .c_i = options.c_i,
                                       .ead_1 = options.ead_1},
                                      out));
    machine_.enter<Event::ComposeMessage1, State::Start, State::WaitMessage2>();
    x_ = std::move(x.private_key);
    h_message_1_ = crypto::sha256(message);
    terms_ = {.c_i = options.c_i, .c_r = {}, .suite = *suite};
    return message;
}

Result<Claim> Initiator::on_message_2(Bytes message, MutBytes scratch, EadLabels understood) {
    const bool is_first = machine_.is(State::WaitMessage2);
    if (!is_first && !machine_.is(State::CheckMessage2)) return Error::WrongState;

    Bytes content;
    SOTTO_TRY(unwrap(message, content));
    if (content.size() < crypto::kDhSize) return Error::Malformed;
    const Bytes sealed = content.subspan(crypto::kDhSize);
    if (sealed.size() > scratch.size()) return Error::NoSpace;
    SOTTO_TRY_ASSIGN(const crypto::DhPublicKey g_y,
                     crypto::dh_import_x(content.first<crypto::kDhSize>()));
    const crypto::Hash th_2 = transcript_2(g_y.x, h_message_1_);
    crypto::Prk prk_2e;
    SOTTO_TRY(extract(th_2, {x_, g_y}, prk_2e));

    const MutBytes plaintext = scratch.first(sealed.size());
    std::ranges::copy(sealed, plaintext.begin());
    apply_keystream_2(prk_2e, th_2, plaintext);
    cbor::Reader in{plaintext};
    const ConnectionId c_r = ConnectionId::read(in);
    SOTTO_TRY(in.status());
    if (c_r == terms_.c_i) return Error::Refused;  // RFC 9528 §3.3.3: OSCORE's IDs
    Claim claim;
    SOTTO_TRY(read_claim(plaintext, in, mac_size(terms_.suite), understood, claim));

    if (is_first) {
        machine_.enter<Event::Message2, State::WaitMessage2, State::CheckMessage2>();
    } else {
        machine_.enter<Event::Message2, State::CheckMessage2, State::CheckMessage2>();
    }
    terms_.c_r = c_r;
    g_y_ = g_y;
    transcript_ = th_2;
    prk_ = std::move(prk_2e);
    return claim;
}

Status Initiator::authenticate(const Claim& claim, const cose::Credential& credential_r) {
    if (!machine_.is(State::CheckMessage2)) return Error::WrongState;
    SOTTO_TRY(check_credential(identity_, claim, credential_r));
    crypto::Prk prk_3e2m;
    SOTTO_TRY(extract_next(
        prk_, Label::Salt3e2m, transcript_, {x_, credential_r.public_key()}, prk_3e2m));
    const Bytes cred = credential_r.bytes();
    const MacContext context{
        Label::Mac2, &terms_.c_r, claim.id_cred, transcript_, cred, claim.ead.encoded()};
    if (!verify_mac(prk_3e2m, context, claim.mac)) {
        if (++failure_count_ < kVerifyFailureCountMax) return Error::Unauthenticated;
        return fail(Error::Unauthenticated);
    }
    machine_.enter<Event::Authenticate, State::CheckMessage2, State::Authenticated>();
    x_.clear();
    prk_ = std::move(prk_3e2m);
    transcript_ = transcript_after(transcript_, claim.plaintext, cred);
    return {};
}

Result<Bytes> Initiator::compose_message_3(cose::CredentialForm form,
                                           std::span<const EadItem> ead_3,
                                           MutBytes out) {
    if (!machine_.is(State::Authenticated)) return Error::WrongState;
    const cose::IdCred id_cred = id_cred_i(form);
    const Bytes cred = identity_.credential.bytes();
    if (out.size() < kHeadRoom) return Error::NoSpace;
    Draft draft;
    SOTTO_TRY(draft_plaintext(
        {nullptr, id_cred, ead_3}, mac_size(terms_.suite), out.subspan(kHeadRoom), draft));
    const crypto::Hash& th_3 = transcript_;
    crypto::Prk prk_4e3m;
    SOTTO_TRY(extract_next(prk_, Label::Salt4e3m, th_3, {identity_.private_key, g_y_}, prk_4e3m));
    compute_mac(prk_4e3m, {Label::Mac3, nullptr, id_cred, th_3, cred, draft.ead}, draft.mac);
    const crypto::Hash th_4 = transcript_after(th_3, draft.plaintext, cred);
    const MessageKeys keys{prk_, Label::K3, th_3, terms_.suite};
    SOTTO_TRY_ASSIGN(const Bytes message, seal_and_wrap(keys, draft.plaintext.size(), out));

    machine_.enter<Event::ComposeMessage3, State::Authenticated, State::WaitMessage4>();
    prk_ = std::move(prk_4e3m);
    transcript_ = th_4;
    exporter_.init(prk_, transcript_);
    return message;
}

Result<Ead> Initiator::on_message_4(Bytes message, MutBytes scratch, EadLabels understood) {
    if (!machine_.is(State::WaitMessage4)) return Error::WrongState;
    const MessageKeys keys{prk_, Label::K4, transcript_, terms_.suite};
    SOTTO_TRY(unwrap_and_open(keys, message, scratch));
    cbor::Reader in{scratch};
    const Ead ead_4 = Ead::read(in, understood);
    if (const Status read = in.status(); !read) return fail(read.error()).error();
    machine_.enter<Event::Message4, State::WaitMessage4, State::Done>();
    prk_.clear();
    return ead_4;
}

Status Initiator::fail(Error why) {
    x_.clear();
    prk_.clear();
    exporter_.clear();
    return machine_.fail(why);
}

Status Initiator::exporter(std::uint32_t label, Bytes context, MutBytes out) const {
    if (!has_exporter()) return Error::WrongState;
    return exporter_.derive(label, context, out);
}

Result<OscoreKeys> Initiator::export_oscore() const {
    if (!has_exporter()) return Error::WrongState;
    OscoreKeys keys;
    exporter_.oscore(terms_.c_r, terms_.c_i, keys);
    return keys;
}

}  // namespace sotto::edhoc
