// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/responder.hpp"

#include "core/edhoc/message.hpp"

namespace sotto::edhoc {

using namespace responder;

namespace {

// RFC 9528 §5.2.3: "the selected cipher suite is supported and [...] no prior cipher suite as
// ordered in SUITES_I is supported". Nothing if the suite is wrong.
std::optional<Suite> select_suite(const SuiteList& suites_i) {
    for (const SuiteLabel& label : suites_i) {
        if (const auto suite = find_suite(label))
            return &label == suites_i.end() - 1 ? suite : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

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
    SOTTO_TRY_ASSIGN(const Message1Head head, read_message_1_head(in));
    const auto suite = select_suite(head.suites_i);
    if (!suite) {
        is_wrong_suite_ = true;
        return Error::Unsupported;
    }
    SOTTO_TRY_ASSIGN(const Ead ead_1, Ead::read(in, understood));
    if (head.g_x.size() != crypto::kDhSize) return Error::Malformed;
    SOTTO_TRY_ASSIGN(const crypto::DhPublicKey g_x,
                     crypto::dh_import_x(head.g_x.first<crypto::kDhSize>()));
    SOTTO_TRY(machine_.enter(
        Event::Message1,
        HaveMessage1{
            .g_x = g_x, .h_message_1 = crypto::sha256(message), .c_i = head.c_i, .suite = *suite}));
    return Message1{.c_i = head.c_i, .suite = *suite, .ead_1 = ead_1};
}

Result<Bytes> Responder::compose_message_2(EphemeralKey y, const Message2& options, MutBytes out) {
    const auto* state = machine_.in<HaveMessage1>();
    if (state == nullptr) return Error::WrongState;
    // RFC 9528 §3.3.3: the two "MUST NOT select connection identifiers such that it results in the
    // same OSCORE Recipient ID".
    if (options.c_r == state->c_i) return Error::InvalidArgument;
    const cose::IdCred id_cred = cose::IdCred::of(identity_.credential, options.form);
    const Bytes cred = identity_.credential.bytes();
    constexpr std::size_t kPlaintextAt = kHeadRoom + crypto::kDhSize;
    if (out.size() < kPlaintextAt) return Error::NoSpace;
    SOTTO_TRY_ASSIGN(const Draft draft,
                     draft_plaintext(&options.c_r,
                                     id_cred,
                                     mac_size(state->suite),
                                     options.ead_2,
                                     out.subspan(kPlaintextAt)));
    const std::size_t content_size = crypto::kDhSize + draft.plaintext.size();
    if (kHeadRoom + content_size > kMessageSizeMax) return Error::NoSpace;

    const crypto::Hash th_2 = transcript_2(y.public_key.x, state->h_message_1);
    SOTTO_TRY_ASSIGN(const crypto::DhSecret g_xy, crypto::dh_agree(y.private_key, state->g_x));
    const crypto::Prk prk_2e = crypto::hkdf_extract(th_2, g_xy.expose());
    SOTTO_TRY_ASSIGN(const crypto::DhSecret g_rx,
                     crypto::dh_agree(identity_.private_key, state->g_x));
    crypto::Prk prk_3e2m = next_prk(prk_2e, Label::Salt3e2m, th_2, g_rx);
    const MacContext context{
        .c_r = &options.c_r, .id_cred = id_cred, .th = th_2, .cred = cred, .ead = draft.ead};
    compute_mac(prk_3e2m, Label::Mac2, context, draft.mac);
    const crypto::Hash th_3 = transcript_after(th_2, draft.plaintext, cred);

    const Bytes keystream_context{th_2};
    kdf_xor(prk_2e,
            static_cast<std::uint32_t>(Label::Keystream2),
            {&keystream_context, 1},
            draft.plaintext);
    std::ranges::copy(y.public_key.x, out.begin() + kHeadRoom);
    WaitMessage3 next{.y = std::move(y.private_key),
                      .th_3 = th_3,
                      .prk_3e2m = std::move(prk_3e2m),
                      .c_i = state->c_i,
                      .c_r = options.c_r,
                      .suite = state->suite,
                      .failure_count = 0};
    SOTTO_TRY(machine_.enter(Event::ComposeMessage2, std::move(next)));
    return wrap(out, content_size);
}

Result<Claim> Responder::on_message_3(Bytes message, MutBytes scratch, EadLabels understood) {
    const auto* state = machine_.in<WaitMessage3>();
    if (state == nullptr) return Error::WrongState;
    const MessageKeys keys{state->prk_3e2m, Label::K3, state->th_3, state->suite};
    SOTTO_TRY_ASSIGN(const Bytes plaintext, unwrap_and_open(keys, message, scratch));
    cbor::Reader in{plaintext};
    auto claim = read_claim(plaintext, in, mac_size(state->suite), understood);
    if (!claim) {
        SOTTO_TRY(machine_.fail(claim.error()));
    }
    return claim;
}

Status Responder::authenticate(const Claim& claim, const cose::Credential& credential_i) {
    auto* state = machine_.in<WaitMessage3>();
    if (state == nullptr) return Error::WrongState;
    SOTTO_TRY(check_credential(identity_, claim, credential_i));
    SOTTO_TRY_ASSIGN(const crypto::DhSecret g_iy,
                     crypto::dh_agree(state->y, credential_i.public_key()));
    crypto::Prk prk_4e3m = next_prk(state->prk_3e2m, Label::Salt4e3m, state->th_3, g_iy);

    Scratch<kMacSizeMax> buffer;
    const MutBytes mac_3 = buffer.bytes().first(mac_size(state->suite));
    const MacContext context{.id_cred = claim.id_cred,
                             .th = state->th_3,
                             .cred = credential_i.bytes(),
                             .ead = claim.ead.encoded()};
    compute_mac(prk_4e3m, Label::Mac3, context, mac_3);
    if (!ct_equal(mac_3, claim.mac)) {
        if (++state->failure_count < kVerifyFailureCountMax) return Error::Unauthenticated;
        return machine_.fail(Error::Unauthenticated);
    }
    const crypto::Hash th_4 = transcript_after(state->th_3, claim.plaintext, credential_i.bytes());
    Exporter exporter{derive_prk(prk_4e3m, Label::PrkOut, th_4)};
    Authenticated next{.prk_4e3m = std::move(prk_4e3m),
                       .th_3 = state->th_3,
                       .th_4 = th_4,
                       .exporter = std::move(exporter),
                       .c_i = state->c_i,
                       .c_r = state->c_r,
                       .suite = state->suite};
    return machine_.enter(Event::Authenticate, std::move(next));
}

Result<crypto::Hash> Responder::th_3() const {
    if (const auto* waiting = machine_.in<WaitMessage3>()) return waiting->th_3;
    const auto* authenticated = machine_.in<Authenticated>();
    if (authenticated == nullptr) return Error::WrongState;
    return authenticated->th_3;
}

Result<Bytes> Responder::compose_message_4(std::span<const EadItem> ead_4, MutBytes out) {
    auto* state = machine_.in<Authenticated>();
    if (state == nullptr) return Error::WrongState;
    if (out.size() < kHeadRoom) return Error::NoSpace;
    cbor::Writer writer{out.subspan(kHeadRoom)};
    write_ead(writer, ead_4);
    SOTTO_TRY(writer.finish());
    const MessageKeys keys{state->prk_4e3m, Label::K4, state->th_4, state->suite};
    SOTTO_TRY_ASSIGN(const Bytes message, seal_and_wrap(keys, writer.size(), out));
    Done next{.exporter = std::move(state->exporter), .c_i = state->c_i, .c_r = state->c_r};
    SOTTO_TRY(machine_.enter(Event::ComposeMessage4, std::move(next)));
    return message;
}

Result<Bytes> Responder::compose_error(Error why, MutBytes out) const {
    return is_wrong_suite_ ? encode_wrong_suite(kResponderSuites, out)
                           : encode_error_message(why, out);
}

bool Responder::is_authenticated() const {
    return machine_.in<Authenticated>() != nullptr || is_done();
}

Status Responder::exporter(std::uint32_t label, Bytes context, MutBytes out) const {
    if (const auto* done = machine_.in<Done>()) return done->exporter.derive(label, context, out);
    const auto* authenticated = machine_.in<Authenticated>();
    if (authenticated == nullptr) return Error::WrongState;
    return authenticated->exporter.derive(label, context, out);
}

Result<OscoreKeys> Responder::export_oscore() const {
    if (const auto* done = machine_.in<Done>()) return done->exporter.oscore(done->c_i, done->c_r);
    const auto* authenticated = machine_.in<Authenticated>();
    if (authenticated == nullptr) return Error::WrongState;
    return authenticated->exporter.oscore(authenticated->c_i, authenticated->c_r);
}

}  // namespace sotto::edhoc
