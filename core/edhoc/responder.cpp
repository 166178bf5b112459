// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/responder.hpp"

#include "core/edhoc/message.hpp"

namespace sotto::edhoc {

using namespace responder;

Result<Responder::Message1> Responder::on_message_1(Bytes message, EadLabels understood) {
    if (machine_.in<Start>() == nullptr) return Error::WrongState;
    auto parsed = read_message_1(message, understood);
    if (!parsed) {
        SOTTO_TRY(machine_.fail(parsed.error()));
    }
    return parsed;
}

Result<Responder::Message1> Responder::read_message_1(Bytes message, EadLabels understood) {
    if (message.size() > kMessageSizeMax) return Error::TooLarge;
    cbor::Reader in{message};
    in.require(in.integer() == kMethod, Error::Unsupported);
    const std::optional<Suite> suite = select_suite(in);
    const Bytes g_x = in.bytes();
    const ConnectionId c_i = ConnectionId::read(in);
    is_wrong_suite_ = in.status() && !suite;
    in.require(suite.has_value(), Error::Unsupported);
    const Ead ead_1 = Ead::read(in, understood);
    in.require(g_x.size() == crypto::kDhSize);
    SOTTO_TRY(in.status());
    const auto point = crypto::dh_import_x(g_x.first<crypto::kDhSize>());
    if (!point) return point.error();

    auto& next = machine_.enter<Event::Message1, Start, HaveMessage1>();
    next.g_x = *point;
    next.h_message_1 = crypto::sha256(message);
    terms_ = {.c_i = c_i, .c_r = {}, .suite = *suite};
    return Message1{.c_i = c_i, .suite = *suite, .ead_1 = ead_1};
}

Result<Bytes> Responder::compose_message_2(EphemeralKey y, const Message2& options, MutBytes out) {
    const auto* state = machine_.in<HaveMessage1>();
    if (state == nullptr) return Error::WrongState;
    // RFC 9528 §3.3.3: the two "MUST NOT select connection identifiers such that it results in the
    // same OSCORE Recipient ID".
    if (options.c_r == terms_.c_i) return Error::InvalidArgument;
    const cose::IdCred id_cred = cose::IdCred::of(identity_.credential, options.form);
    const Bytes cred = identity_.credential.bytes();
    if (out.size() < kPlaintext2At) return Error::NoSpace;
    SOTTO_TRY_ASSIGN(const Draft draft,
                     draft_plaintext({&options.c_r, id_cred, options.ead_2},
                                     mac_size(terms_.suite),
                                     out.subspan(kPlaintext2At)));
    const std::size_t content_size = crypto::kDhSize + draft.plaintext.size();

    const crypto::Hash th_2 = transcript_2(y.public_key.x, state->h_message_1);
    crypto::Prk prk_2e;
    crypto::Prk prk_3e2m;
    SOTTO_TRY(extract(th_2, {y.private_key, state->g_x}, prk_2e));
    SOTTO_TRY(
        extract_next(prk_2e, Label::Salt3e2m, th_2, {identity_.private_key, state->g_x}, prk_3e2m));
    compute_mac(prk_3e2m, Label::Mac2, {&options.c_r, id_cred, th_2, cred, draft.ead}, draft.mac);

    auto& next = machine_.enter<Event::ComposeMessage2, HaveMessage1, WaitMessage3>();
    next.y = std::move(y.private_key);
    next.prk_3e2m = std::move(prk_3e2m);
    th_3_ = transcript_after(th_2, draft.plaintext, cred);
    terms_.c_r = options.c_r;
    apply_keystream_2(prk_2e, th_2, draft.plaintext);
    std::ranges::copy(y.public_key.x, out.begin() + kHeadRoom);
    return wrap(out, content_size);
}

Result<Claim> Responder::on_message_3(Bytes message, MutBytes scratch, EadLabels understood) {
    const auto* state = machine_.in<WaitMessage3>();
    if (state == nullptr) return Error::WrongState;
    const MessageKeys keys{state->prk_3e2m, Label::K3, th_3_, terms_.suite};
    SOTTO_TRY_ASSIGN(const Bytes plaintext, unwrap_and_open(keys, message, scratch));
    cbor::Reader in{plaintext};
    auto claim = read_claim(plaintext, in, mac_size(keys.suite), understood);
    if (!claim) {
        SOTTO_TRY(machine_.fail(claim.error()));
    }
    return claim;
}

Status Responder::authenticate(const Claim& claim, const cose::Credential& credential_i) {
    auto* state = machine_.in<WaitMessage3>();
    if (state == nullptr) return Error::WrongState;
    SOTTO_TRY(check_credential(identity_, claim, credential_i));
    crypto::Prk prk_4e3m;
    SOTTO_TRY(extract_next(
        state->prk_3e2m, Label::Salt4e3m, th_3_, {state->y, credential_i.public_key()}, prk_4e3m));
    const Bytes cred = credential_i.bytes();
    const MacContext context{nullptr, claim.id_cred, th_3_, cred, claim.ead.encoded()};
    if (!verify_mac(prk_4e3m, Label::Mac3, context, claim.mac)) {
        if (++state->failure_count < kVerifyFailureCountMax) return Error::Unauthenticated;
        return machine_.fail(Error::Unauthenticated);
    }
    auto& next = machine_.enter<Event::Authenticate, WaitMessage3, Authenticated>();
    next.prk_4e3m = std::move(prk_4e3m);
    next.th_4 = transcript_after(th_3_, claim.plaintext, cred);
    next.exporter.init(next.prk_4e3m, next.th_4);
    return {};
}

Result<crypto::Hash> Responder::th_3() const {
    const bool is_known =
        machine_.in<WaitMessage3>() != nullptr || machine_.in<Authenticated>() != nullptr;
    if (!is_known) return Error::WrongState;
    return th_3_;
}

Result<Bytes> Responder::compose_message_4(std::span<const EadItem> ead_4, MutBytes out) {
    auto* state = machine_.in<Authenticated>();
    if (state == nullptr) return Error::WrongState;
    if (out.size() < kHeadRoom) return Error::NoSpace;
    cbor::Writer writer{out.subspan(kHeadRoom)};
    write_ead(writer, ead_4);
    SOTTO_TRY(writer.finish());
    const MessageKeys keys{state->prk_4e3m, Label::K4, state->th_4, terms_.suite};
    SOTTO_TRY_ASSIGN(const Bytes message, seal_and_wrap(keys, writer.size(), out));
    Exporter exporter = std::move(state->exporter);
    auto& next = machine_.enter<Event::ComposeMessage4, Authenticated, Done>();
    next.exporter = std::move(exporter);
    return message;
}

Result<Bytes> Responder::compose_error(Error why, MutBytes out) const {
    return is_wrong_suite_ ? encode_wrong_suite(kResponderSuites, out)
                           : encode_error_message(why, out);
}

const Exporter* Responder::established() const {
    if (const auto* done = machine_.in<Done>()) return &done->exporter;
    if (const auto* state = machine_.in<Authenticated>()) return &state->exporter;
    return nullptr;
}

Status Responder::exporter(std::uint32_t label, Bytes context, MutBytes out) const {
    const Exporter* exporter = established();
    if (exporter == nullptr) return Error::WrongState;
    return exporter->derive(label, context, out);
}

Result<OscoreKeys> Responder::export_oscore() const {
    const Exporter* exporter = established();
    if (exporter == nullptr) return Error::WrongState;
    return exporter->oscore(terms_.c_i, terms_.c_r);
}

}  // namespace sotto::edhoc
