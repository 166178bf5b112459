// SPDX-License-Identifier: Apache-2.0
// The resources behind the sealed channel: who may use which, and what they answer.
#include "core/session/server.hpp"

namespace sotto::session {
namespace {

constexpr auto kObservationSeconds = static_cast<std::uint32_t>(kObservationLifetime.ms / 1'000);
// Critical options inside. Not every device understands those at the ends.
constexpr std::array<coap::OptionNumber, 8> kUnderstood{coap::kNotAfter,
                                                        coap::kUriHost,
                                                        coap::kUriPort,
                                                        coap::kUriPath,
                                                        coap::kUriQuery,
                                                        coap::kAccept,
                                                        coap::kBlock1,
                                                        coap::kBlock2};

Format format_of(const coap::Body& body, coap::OptionNumber option) {
    std::uint32_t format = 0;  // text
    (void)body.options.find_uint(option, format);
    return static_cast<Format>(format);
}

constexpr std::size_t kKindCount = kKindLetters.size();

std::size_t kind_of(std::uint8_t letter) {
    std::size_t kind = 0;
    while (kind < kKindCount && kKindLetters[kind] != letter) ++kind;
    return kind;
}

// What arguments and results may be in.
bool is_value_format(Format format) { return format == Format::Text || format == Format::Cbor; }

}  // namespace

bool Server::understands(const Exchange& exchange, bool is_function) const {
    std::span<const coap::OptionNumber> known{kUnderstood};
    // [SES-90] Only a function can be deferred.
    if (!is_function || setup_.parts.deferral == nullptr) known = known.subspan(1);
    if (setup_.parts.blockwise == nullptr) known = known.first(known.size() - 2);
    return !exchange.body().options.find_bad_critical(known);
}

Part* Server::find_part(const coap::Options& options) const {
    for (Part* part : setup_.parts.resources) {
        if (options.path_is(part->place().path)) return part;
    }
    return nullptr;
}

coap::Code Server::dispatch(Exchange& exchange) {
    const coap::Options& options = exchange.body().options;
    Bytes first;
    (void)options.find(coap::kUriPath, first);
    const std::size_t kind = first.size() == 1 ? kind_of(first[0]) : kKindCount;
    if (!understands(exchange, kind == 0)) return coap::Code::BadOption;
    Blockwise* blockwise = setup_.parts.blockwise;
    if (blockwise != nullptr && !blockwise->read(exchange)) return coap::Code::BadRequest;
    Part* part = find_part(options);
    const Role role = part != nullptr ? part->place().role : Role::Trusted;
    const bool is_cloud = exchange.entry.role == Role::Cloud;
    if ((role == Role::Cloud) != is_cloud) return coap::Code::Forbidden;  // [SES-30]
    Bytes name;
    if (part == nullptr && kind < kKindCount && options.count(coap::kUriPath) == 2 &&
        options.find(coap::kUriPath, name, 1)) {
        return on_named(exchange, as_text(name), static_cast<ResourceKind>(kind));
    }
    if (exchange.is_in_blocks && (part == nullptr || !part->place().takes_blocks)) {
        return coap::Code::BadOption;
    }
    if (part == nullptr) return coap::Code::NotFound;
    if (role == Role::Owner && exchange.entry.role != Role::Owner) return coap::Code::Forbidden;
    return part->handle(*this, exchange);
}

coap::Code Server::on_named(Exchange& exchange, std::string_view name, ResourceKind kind) {
    const coap::Body& body = exchange.body();
    Traits traits;
    if (!setup_.resources.find(kind, name, traits)) return coap::Code::NotFound;
    const Admission* admission = setup_.parts.admission;
    if (admission != nullptr && !admission->permits(*this, exchange, kind, traits.index)) {
        return coap::Code::Forbidden;
    }
    const bool is_function = kind == ResourceKind::Function;
    if (body.code != (is_function ? coap::Code::Post : coap::Code::Get)) {
        return coap::Code::MethodNotAllowed;
    }
    if (is_function) return on_function(exchange, traits);
    if (kind == ResourceKind::Event) return on_event(exchange, traits.index);
    return show(exchange, format_of(body, coap::kAccept), &traits);
}

coap::Code Server::admit(Exchange& exchange, bool is_idempotent) {
    if (exchange.piv < exchange.entry.floor) return coap::Code::Conflict;
    std::uint32_t not_after = 0;
    // Where nobody understands it, no request with it comes as far as this.
    const bool is_deferred = exchange.body().options.find_uint(coap::kNotAfter, not_after);
    if (!is_deferred && !exchange.is_fresh) return challenge(exchange);  // [SES-44]
    if (is_idempotent && !is_deferred) {
        SessionTable::raise_floor_in_ram(exchange.entry, exchange.piv);
    } else if (!sessions_.raise_floor(exchange.entry, exchange.piv, exchange.when())) {  // [SES-41]
        return coap::Code::InternalServerError;
    }
    return is_deferred ? setup_.parts.deferral->admit(*this, exchange, not_after)
                       : coap::Code::Empty;
}

coap::Code Server::keep_result(Exchange& exchange, coap::Code code) {
    exchange.answer.brings_echo = true;
    exchange.answer.was_executed = true;
    const auto slot = sessions_.slot_of(exchange.entry);
    if (!slot) return code;
    keystore::ResultRecord result{.tag = sessions_.tag_of(exchange.entry),
                                  .piv = exchange.piv,
                                  .code = static_cast<std::uint8_t>(code)};
    const Bytes payload = exchange.answer.payload;
    result.has_payload = !exchange.answer.is_partial && payload.size() <= keystore::kResultSizeMax;
    if (result.has_payload) result.payload = FixedBytes<keystore::kResultSizeMax>{payload};
    // If this fails the command has run all the same, and /last says less than it could.
    (void)keystore::store_result(sessions_.storage_of(exchange.entry), *slot, result).has_value();
    return code;
}

coap::Code Server::on_function(Exchange& exchange, const Traits& traits) {
    const coap::Body& body = exchange.body();
    const Call call{.traits = traits,
                    .format = format_of(body, coap::kContentFormat),
                    .wanted = format_of(body, coap::kAccept)};
    // What cannot be taken or told is not begun.
    if (!is_value_format(call.format)) return coap::Code::UnsupportedContentFormat;
    if (!is_value_format(call.wanted)) return coap::Code::NotAcceptable;
    if (setup_.parts.blockwise != nullptr) {
        return setup_.parts.blockwise->call(*this, exchange, call);
    }
    if (body.payload.size() > kPayloadSizeMax) return coap::Code::RequestEntityTooLarge;
    if (const coap::Code refusal = admit(exchange, traits.is_idempotent);
        refusal != coap::Code::Empty) {
        return refusal;
    }
    PlainExcerpt result{setup_.result};
    const Status called = run(call, body.payload, result);
    if (!called) return keep_result(exchange, coap::to_coap_code(called.error()));
    exchange.answer.show(call.wanted, result.part());
    return keep_result(exchange, coap::Code::Changed);
}

Status Server::run(const Call& call, Bytes argument, Excerpt& result) {
    const Status called = setup_.resources.call(
        call.traits.index, {.format = call.format, .payload = argument}, call.wanted, result);
    return called && !result.is_whole() ? Error::NoSpace : called;
}

coap::Code Server::show(Exchange& exchange, Format format, const Traits* variable) {
    Blockwise* blockwise = setup_.parts.blockwise;
    if (blockwise != nullptr) return blockwise->show(*this, exchange, format, variable);
    PlainExcerpt whole{setup_.result};
    Status shown = read(format, variable, whole);
    if (shown && !whole.is_whole()) shown = Error::NoSpace;
    if (!shown) return refusal_of(shown.error());
    exchange.answer.show(format, whole.part());
    return coap::Code::Content;
}

Status Server::read(Format format, const Traits* variable, Excerpt& part) {
    return variable != nullptr ? setup_.resources.read(variable->index, format, part)
                               : setup_.resources.describe(part);
}

coap::Code Server::refusal_of(Error why) {
    return why == Error::Unsupported ? coap::Code::NotAcceptable : coap::to_coap_code(why);
}

coap::Code Server::on_event(Exchange& exchange, std::uint8_t event) {
    const std::uint8_t session = number_of(exchange.entry);
    const Bytes token = exchange.arrival.message.header.token;
    std::uint32_t observe = 1;  // not
    (void)exchange.body().options.find_uint(coap::kObserve, observe);
    if (observe != 0) {
        observations_.remove(session, token);
        return coap::Code::Content;
    }
    // RFC 7641 §4.1: without room the answer carries no Observe option.
    if (Observation* place = observations_.add(session, token, exchange.when()); place != nullptr) {
        place->event = event;
        place->channel = exchange.arrival.channel;
        place->binding = exchange.request.binding;
        exchange.answer.is_observed = true;
    }
    exchange.answer.say(Exchange::Answer::MaxAge, kObservationSeconds);
    return coap::Code::Content;
}

coap::Code Server::show_cbor(Exchange& exchange, const Result<Bytes>& payload) {
    if (!payload) return coap::Code::InternalServerError;
    exchange.answer.show(Format::Cbor, *payload);
    return coap::Code::Content;
}

}  // namespace sotto::session
