// SPDX-License-Identifier: Apache-2.0
#include "core/session/owner_part.hpp"

#include "core/cbor/writer.hpp"
#include "core/session/fields.hpp"
#include "core/session/server.hpp"

namespace sotto::session {
namespace {

// What PUT /m/owner wants: the owner's next credential, and K_tok.
Status parse_owner(Bytes payload, cose::Credential& owner, keystore::TokenKey& token_key) {
    cbor::Reader in{payload};
    in.require(in.map() == 2);
    read_key(in, 1);
    const Bytes credential = in.bytes();
    read_bytes(in, 2, token_key.fill());
    SOTTO_TRY(in.finish());
    return cose::Credential::parse(credential, owner);
}

}  // namespace

// [SES-27] The sessions of whoever has the former key go first: a power cut in between costs him a
// handshake, and never leaves him one beside the new owner.
coap::Code OwnerPart::handle(Server& server, Exchange& exchange) {
    const coap::Body& body = exchange.body();
    if (body.code != coap::Code::Put) return coap::Code::MethodNotAllowed;
    keystore::TokenKey token_key;
    cose::Credential owner;
    if (!parse_owner(body.payload, owner, token_key) ||
        owner == server.setup().identity.credential) {
        return coap::Code::BadRequest;
    }
    if (const coap::Code refusal = server.admit(exchange); refusal != coap::Code::Empty) {
        return refusal;
    }
    Status done = server.sessions().erase_others(exchange.entry);
    server.forget_ended();
    if (done) done = server.authority().hand_over(owner, std::move(token_key));
    if (!done) return server.keep_result(exchange, coap::to_coap_code(done.error()));
    cbor::Writer writer{server.setup().result};
    writer.map(1).uint(1).uint(server.authority().generation());
    const coap::Code shown = Server::show_cbor(exchange, writer.finish());
    return server.keep_result(exchange, shown == coap::Code::Content ? coap::Code::Changed : shown);
}

}  // namespace sotto::session
