// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/responder.hpp"

#include "core/edhoc/message.hpp"

namespace sotto::edhoc {

Status Responder::on_message_1(Bytes message, EadLabels understood, Message1& parsed) {
    if (!machine_.is(State::Start)) return Error::WrongState;
    const Status read = read_message_1(message, parsed, understood);
    return read ? read : fail(read.error());
}

Status Responder::read_message_1(Bytes message, Message1& parsed, EadLabels understood) {
    if (message.size() > kMessageSizeMax) return Error::TooLarge;
    cbor::Reader in{message};
    in.require(in.integer() == kMethod, Error::Unsupported);
    const std::optional<Suite> suite = select_suite(in);
    const Bytes g_x = in.bytes();
    parsed.c_i = ConnectionId::read(in);
    is_wrong_suite_ = in.status() && !suite;
    in.require(suite.has_value(), Error::Unsupported);
    parsed.ead_1 = Ead::read(in, understood);
    in.require(g_x.size() == crypto::kDhSize);
    SOTTO_TRY(in.status());
    SOTTO_TRY(crypto::dh_import_x(g_x.first<crypto::kDhSize>(), g_x_));
    parsed.suite = *suite;

    machine_.enter<Event::Message1, State::Start, State::HaveMessage1>();
    transcript_ = crypto::sha256(message);
    terms_.c_i = parsed.c_i;
    terms_.suite = *suite;
    return {};
}

Result<Bytes> Responder::compose_message_2(EphemeralKey&& y,
                                           const Message2& options,
                                           MutBytes out) {
    if (!machine_.is(State::HaveMessage1)) return Error::WrongState;
    // RFC 9528 §3.3.3: the two "MUST NOT select connection identifiers such that it results in the
    // same OSCORE Recipient ID".
    if (options.c_r == terms_.c_i) return Error::InvalidArgument;
    const cose::IdCred id_cred = cose::IdCred::of(identity_.credential, options.form);
    const Bytes cred = identity_.credential.bytes();
    if (out.size() < kPlaintext2At) return Error::NoSpace;
    Draft draft;
    SOTTO_TRY(draft_plaintext({&options.c_r, id_cred, options.ead_2},
                              mac_size(terms_.suite),
                              out.subspan(kPlaintext2At),
                              draft));
    const std::size_t content_size = crypto::kDhSize + draft.plaintext.size();

    const crypto::Hash th_2 = transcript_2(y.public_key.x, transcript_);
    crypto::Prk prk_2e;
    SOTTO_TRY(extract(th_2, {y.private_key, g_x_}, prk_2e));
    SOTTO_TRY(extract_next(prk_2e, Label::Salt3e2m, th_2, {identity_.private_key, g_x_}, prk_));
    compute_mac(prk_, {Label::Mac2, &options.c_r, id_cred, th_2, cred, draft.ead}, draft.mac);

    machine_.enter<Event::ComposeMessage2, State::HaveMessage1, State::WaitMessage3>();
    y_ = std::move(y.private_key);
    th_3_ = transcript_after(th_2, draft.plaintext, cred);
    terms_.c_r = options.c_r;
    apply_keystream_2(prk_2e, th_2, draft.plaintext);
    std::ranges::copy(y.public_key.x, out.begin() + kHeadRoom);
    return wrap(out, content_size);
}

Status Responder::on_message_3(Bytes message,
                               MutBytes scratch,
                               EadLabels understood,
                               Claim& claim) {
    if (!machine_.is(State::WaitMessage3)) return Error::WrongState;
    const MessageKeys keys{prk_, Label::K3, th_3_, terms_.suite};
    SOTTO_TRY(unwrap_and_open(keys, message, scratch));
    cbor::Reader in{scratch};
    const Status read = read_claim(scratch, in, mac_size(keys.suite), understood, claim);
    return read ? read : fail(read.error());
}

Status Responder::authenticate(const Claim& claim, const cose::Credential& credential_i) {
    if (!machine_.is(State::WaitMessage3)) return Error::WrongState;
    SOTTO_TRY(check_credential(identity_, claim, credential_i));
    crypto::Prk prk_4e3m;
    SOTTO_TRY(
        extract_next(prk_, Label::Salt4e3m, th_3_, {y_, credential_i.public_key()}, prk_4e3m));
    const Bytes cred = credential_i.bytes();
    const MacContext context{Label::Mac3, nullptr, claim.id_cred, th_3_, cred, claim.ead.encoded()};
    if (!verify_mac(prk_4e3m, context, claim.mac)) {
        if (++failure_count_ < kVerifyFailureCountMax) return Error::Unauthenticated;
        return fail(Error::Unauthenticated);
    }
    machine_.enter<Event::Authenticate, State::WaitMessage3, State::Authenticated>();
    y_.clear();
    prk_ = std::move(prk_4e3m);
    transcript_ = transcript_after(th_3_, claim.plaintext, cred);
    exporter_.init(prk_, transcript_);
    return {};
}

const crypto::Hash* Responder::th_3() const {
    const bool is_known = machine_.is(State::WaitMessage3) || machine_.is(State::Authenticated);
    return is_known ? &th_3_ : nullptr;
}

Result<Bytes> Responder::compose_message_4(std::span<const EadItem> ead_4, MutBytes out) {
    if (!machine_.is(State::Authenticated)) return Error::WrongState;
    if (out.size() < kHeadRoom) return Error::NoSpace;
    cbor::Writer writer{out.subspan(kHeadRoom)};
    write_ead(writer, ead_4);
    SOTTO_TRY(writer.finish());
    const MessageKeys keys{prk_, Label::K4, transcript_, terms_.suite};
    SOTTO_TRY_ASSIGN(const Bytes message, seal_and_wrap(keys, writer.size(), out));
    machine_.enter<Event::ComposeMessage4, State::Authenticated, State::Done>();
    prk_.clear();
    return message;
}

Status Responder::fail(Error why) {
    y_.clear();
    prk_.clear();
    return machine_.fail(why);
}

Result<Bytes> Responder::compose_error(Error why, MutBytes out) const {
    return is_wrong_suite_ ? encode_wrong_suite(kResponderSuites, out)
                           : encode_error_message(why, out);
}

Status Responder::exporter(std::uint32_t label, Bytes context, MutBytes out) const {
    if (!is_authenticated()) return Error::WrongState;
    return exporter_.derive(label, context, out);
}

Status Responder::export_oscore(OscoreKeys& keys) const {
    if (!is_authenticated()) return Error::WrongState;
    exporter_.oscore(terms_.c_i, terms_.c_r, keys);
    return {};
}

}  // namespace sotto::edhoc
