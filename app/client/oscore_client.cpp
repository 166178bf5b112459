// SPDX-License-Identifier: Apache-2.0
#include "app/client/oscore_client.hpp"

#include <array>

#include "core/base/secret.hpp"

namespace sotto::app {
namespace {

constexpr std::size_t kMessageSizeMax = 1'280;
constexpr std::size_t kBodySizeMax = 65'536;  // of an answer in blocks

Failure too_large() {
    return {Trouble::Usage, "the request is too large for one message", "Send less at once"};
}

Failure not_verified() {
    return {Trouble::NotTheDevice,
            "the answer does not verify: it is not from the holder of these keys",
            "Check that both ends have the same context, or handshake again"};
}

Failure not_protected(coap::Code code) {
    return {Trouble::Refused,
            "the server answered " + std::to_string(coap::code_class(code)) + "." +
                (coap::code_detail(code) < 10 ? "0" : "") +
                std::to_string(coap::code_detail(code)) +
                " without protection: it does not know this context",
            "Check the context's ids, or handshake again"};
}

Failure not_fitting() {
    return {Trouble::Refused,
            "the server's blocks do not fit together, or what it shows has changed meanwhile",
            "Try again"};
}

bool changes_state(coap::Code code) { return code != coap::Code::Get && code != coap::Code::Fetch; }

std::vector<std::uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

Outcome<CoapReply> OscoreClient::request(const CoapRequest& request) {
    SOTTO_TRY_ASSIGN(Answer answer, send_payload(request));
    return complete(request, std::move(answer));
}

// RFC 7959 §2.5, §2.9.3.
Outcome<OscoreClient::Answer> OscoreClient::send_payload(const CoapRequest& request) {
    coap::OutgoingBody body{request.payload.size(), coap::kBlockExponentMax};
    request_tag_ = {};
    if (!body.is_divided()) return ask(request, {.payload = request.payload});
    for (;;) {
        const Bytes part = Bytes{request.payload}.subspan(body.offset(), body.part_size());
        SOTTO_TRY_ASSIGN(Answer answer, ask(request, {.block1 = body.block(), .payload = part}));
        const auto& block = answer.block1;
        if (answer.reply.code == coap::Code::RequestEntityTooLarge && block &&
            body.shrink(block->size_exponent))
            continue;
        if (answer.reply.code != coap::Code::Continue) return answer;
        if (!block || !body.block().has_more || !body.on_continue(*block)) return not_fitting();
    }
}

Outcome<CoapReply> OscoreClient::observe(const CoapRequest& request) {
    newest_.reset();
    SOTTO_TRY_ASSIGN(Answer answer, ask(request, {.observe = 0}));
    if (answer.reply.is_observed) newest_ = answer.piv;
    return std::move(answer.reply);
}

// RFC 9175 §2.3: a server that wants to know that the client is there asks it to repeat a value.
Outcome<OscoreClient::Answer> OscoreClient::ask(const CoapRequest& request, Extras extras) {
    SOTTO_TRY_ASSIGN(Answer answer, ask_once(request, extras));
    if (answer.reply.code != coap::Code::Unauthorized || answer.echo.empty()) return answer;
    extras.echo = answer.echo;
    return ask_once(request, extras);
}

// RFC 7959 §2.4, §3.3: asks for the blocks behind the first.
Outcome<CoapReply> OscoreClient::complete(const CoapRequest& request, Answer answer) {
    CoapReply reply = std::move(answer.reply);
    const std::vector<std::uint8_t> etag = answer.etag;
    while (answer.block2 && answer.block2->has_more) {
        coap::Block wanted = *answer.block2;
        wanted.has_more = false;
        ++wanted.number;
        SOTTO_TRY_ASSIGN(answer, ask(request, {.block2 = wanted}));
        const bool follows = answer.block2 && answer.block2->number == wanted.number &&
                             answer.block2->offset() == reply.payload.size() &&
                             answer.reply.code == reply.code && answer.etag == etag;
        if (!follows || reply.payload.size() > kBodySizeMax) return not_fitting();
        reply.payload.insert(
            reply.payload.end(), answer.reply.payload.begin(), answer.reply.payload.end());
    }
    return reply;
}

Outcome<OscoreClient::Answer> OscoreClient::ask_once(const CoapRequest& request,
                                                     const Extras& extras) {
    Scratch<kMessageSizeMax> scratch;
    coap::MessageWriter plain{scratch.bytes(), request.code};
    coap::OptionWriter& options = plain.options();
    if (extras.observe) options.add_uint(coap::kObserve, *extras.observe);
    for (const std::string& segment : request.path) options.add_text(coap::kUriPath, segment);
    // What asks for the rest of an answer brings no payload.
    const bool has_payload = !extras.block2 && request.content_format;
    if (has_payload) options.add_uint(coap::kContentFormat, *request.content_format);
    for (const std::string& argument : request.query) options.add_text(coap::kUriQuery, argument);
    if (request.accept) options.add_uint(coap::kAccept, *request.accept);
    if (extras.block2) options.add_uint(coap::kBlock2, coap::block_value(*extras.block2));
    if (extras.block1) options.add_uint(coap::kBlock1, coap::block_value(*extras.block1));
    SOTTO_TRY_ASSIGN(const oscore::Piv piv, setup_.numbers.take());
    if (extras.block1 && extras.block1->number == 0) {
        options.add_uint(coap::kSize1, static_cast<std::uint32_t>(request.payload.size()));
        request_tag_ = oscore::bind_request(piv);
    }
    if (!extras.echo.empty()) options.add(coap::kEcho, extras.echo);
    if (!request_tag_.piv.empty()) options.add(coap::kRequestTag, request_tag_.piv);
    plain.payload(extras.payload);
    const auto plaintext = plain.finish();
    if (!plaintext) return too_large();

    SOTTO_TRY_ASSIGN(const coap::Header header, setup_.exchange.begin(coap::Code::Post));
    oscore::RequestOptions protection{.piv = piv};
    if (setup_.id_context) protection.kid_context = Bytes{*setup_.id_context};
    std::array<std::uint8_t, kMessageSizeMax> out{};
    const auto message =
        oscore::protect_request(setup_.context,
                                protection,
                                {.id = header.id, .token = header.token, .observe = extras.observe},
                                *plaintext,
                                out);
    if (!message) return too_large();
    binding_ = oscore::bind_request(piv);
    const bool is_last = !extras.block2 && (!extras.block1 || !extras.block1->has_more);
    const auto effect = is_last && changes_state(request.code) ? CoapExchange::Effect::ChangesState
                                                               : CoapExchange::Effect::None;
    SOTTO_TRY_ASSIGN(const coap::Message response,
                     setup_.exchange.send(*message, effect, setup_.patience));
    return open(response);
}

Outcome<OscoreClient::Answer> OscoreClient::open(const coap::Message& message) const {
    if (!oscore::find_option(message)) return not_protected(message.header.code);
    Scratch<kMessageSizeMax> scratch;
    const auto response =
        oscore::unprotect_response(setup_.context, binding_, message, scratch.bytes());
    if (!response) return not_verified();
    const coap::Options& options = response->body.options;
    Answer answer;
    answer.reply.code = response->body.code;
    answer.reply.payload = copy(response->body.payload);
    answer.reply.is_observed = options.find(coap::kObserve).has_value();
    if (const auto echo = options.find(coap::kEcho)) answer.echo = copy(*echo);
    if (const auto etag = options.find(coap::kETag)) answer.etag = copy(*etag);
    const auto block1 = coap::find_block(options, coap::kBlock1);
    const auto block2 = coap::find_block(options, coap::kBlock2);
    if (block1) answer.block1 = *block1;
    if (block2) answer.block2 = *block2;
    answer.piv = response->piv;
    return answer;
}

// RFC 8613 §4.1.3.5.1: notifications are ordered by Partial IV; an old one is dropped.
Outcome<std::optional<CoapReply>> OscoreClient::next(Duration limit) {
    SOTTO_TRY_ASSIGN(const std::optional<coap::Message> message, setup_.exchange.next(limit));
    if (!message) return std::optional<CoapReply>{};
    auto answer = open(*message);
    if (!answer || !answer->piv || (newest_ && *answer->piv <= *newest_))
        return std::optional<CoapReply>{};
    newest_ = answer->piv;
    return std::optional<CoapReply>{std::move(answer->reply)};
}

}  // namespace sotto::app
