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

CoapExchange::Effect effect_of(coap::Code code) {
    return code == coap::Code::Get || code == coap::Code::Fetch
               ? CoapExchange::Effect::None
               : CoapExchange::Effect::ChangesState;
}

std::vector<std::uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

Outcome<CoapReply> OscoreClient::request(const CoapRequest& request) {
    SOTTO_TRY_ASSIGN(Answer answer, ask(request, {}));
    return complete(request, std::move(answer));
}

Outcome<CoapReply> OscoreClient::observe(const CoapRequest& request) {
    newest_.reset();
    SOTTO_TRY_ASSIGN(Answer answer, ask(request, {.observe = 0, .echo = {}, .block2 = {}}));
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

// RFC 7959 §2.4: asks for the blocks behind the first.
Outcome<CoapReply> OscoreClient::complete(const CoapRequest& request, Answer answer) {
    CoapReply reply = std::move(answer.reply);
    while (answer.block2 && answer.block2->has_more && request.code == coap::Code::Get) {
        coap::Block wanted = *answer.block2;
        wanted.has_more = false;
        ++wanted.number;
        SOTTO_TRY_ASSIGN(answer, ask(request, {.observe = {}, .echo = {}, .block2 = wanted}));
        const bool follows = answer.block2 && answer.block2->number == wanted.number &&
                             answer.block2->offset() == reply.payload.size() &&
                             answer.reply.code == reply.code;
        if (!follows || reply.payload.size() > kBodySizeMax)
            return Failure{
                Trouble::Refused, "the server's blocks do not fit together", "Try again"};
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
    if (request.content_format) options.add_uint(coap::kContentFormat, *request.content_format);
    for (const std::string& argument : request.query) options.add_text(coap::kUriQuery, argument);
    if (request.accept) options.add_uint(coap::kAccept, *request.accept);
    if (extras.block2) options.add_uint(coap::kBlock2, coap::block_value(*extras.block2));
    if (!extras.echo.empty()) options.add(coap::kEcho, extras.echo);
    plain.payload(request.payload);
    const auto plaintext = plain.finish();
    if (!plaintext) return too_large();

    SOTTO_TRY_ASSIGN(const coap::Header header, setup_.exchange.begin(coap::Code::Post));
    SOTTO_TRY_ASSIGN(const oscore::Piv piv, setup_.numbers.take());
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
    SOTTO_TRY_ASSIGN(const coap::Message response,
                     setup_.exchange.send(*message, effect_of(request.code), setup_.patience));
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
    if (const auto block2 = options.find(coap::kBlock2)) {
        const auto block = coap::parse_block(*block2);
        if (block) answer.block2 = *block;
    }
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
