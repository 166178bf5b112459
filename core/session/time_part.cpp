// SPDX-License-Identifier: Apache-2.0
#include "core/session/time_part.hpp"

#include "core/cbor/writer.hpp"
#include "core/session/server.hpp"

namespace sotto::session {

// [SES-93] [SES-94]
void TimePart::hear(const Exchange& exchange) {
    const auto seconds = exchange.body().options.find_uint(coap::kTime);
    if (!seconds) return;
    const Role role = exchange.entry.role;
    if (role == Role::Owner && exchange.is_fresh) clock_.set(*seconds, exchange.when());
    if (role == Role::Cloud) clock_.propose(*seconds, exchange.when());
}

// [SES-91] Its number has been used up in any case, so that what was refused once never runs.
coap::Code TimePart::admit(Server& server, Exchange& exchange, std::uint32_t not_after) {
    const auto time = clock_.at(exchange.when());
    if (!time) return server.keep_result(exchange, coap::Code::ServiceUnavailable);
    if (*time > not_after) return server.keep_result(exchange, coap::Code::PreconditionFailed);
    return coap::Code::Empty;
}

// [SES-95] What PUT brings has been heard already, where it counts.
coap::Code TimePart::handle(Server& server, Exchange& exchange) {
    const coap::Body& body = exchange.body();
    if (body.code == coap::Code::Put) {
        if (exchange.entry.role != Role::Owner) return coap::Code::Forbidden;
        if (!body.options.find_uint(coap::kTime)) return coap::Code::BadRequest;
        if (!exchange.is_fresh) return Server::challenge(exchange);
    } else if (body.code != coap::Code::Get) {
        return coap::Code::MethodNotAllowed;
    }
    cbor::Writer writer{server.setup().result};
    const auto time = clock_.at(exchange.when());
    writer.map(time ? 1 : 0);
    if (time) writer.uint(1).uint(*time);
    return Server::show_cbor(exchange, writer.finish());
}

}  // namespace sotto::session
