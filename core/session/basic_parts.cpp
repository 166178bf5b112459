// SPDX-License-Identifier: Apache-2.0
#include "core/session/basic_parts.hpp"

#include "core/base/hex.hpp"
#include "core/cbor/writer.hpp"
#include "core/session/server.hpp"

namespace sotto::session {
namespace {

// "k=" and the hex digits of a tag.
bool parse_tag(std::string_view query, keystore::SessionTag& tag) {
    if (!query.starts_with("k=")) return false;
    query.remove_prefix(2);
    return from_hex(query, tag);
}

}  // namespace

coap::Code DescriptionPart::handle(Server& server, Exchange& exchange) {
    if (exchange.body().code != coap::Code::Get) return coap::Code::MethodNotAllowed;
    return server.show(exchange, Format::Link, nullptr);
}

coap::Code LastPart::handle(Server& server, Exchange& exchange) {
    const coap::Body& body = exchange.body();
    if (body.code != coap::Code::Get) return coap::Code::MethodNotAllowed;
    keystore::SessionTag tag = server.sessions().tag_of(exchange.entry);
    Bytes query;
    if (body.options.find(coap::kUriQuery, query) && !parse_tag(as_text(query), tag)) {
        return coap::Code::BadRequest;
    }
    SessionEntry* named = server.sessions().find_tag(tag);
    if (named != nullptr && named->role != exchange.entry.role) return coap::Code::NotFound;
    SessionTable::LastExecuted last;
    const bool is_sure = server.sessions().find_last(named, tag, last);
    if (named == &exchange.entry) {  // [SES-45] whatever was sent before is late from now on
        named->window = oscore::ReplayWindow{exchange.entry.window.next()};
    } else if (named != nullptr) {
        server.end_session(*named);
    }
    if (!is_sure) return coap::Code::NotFound;
    const std::size_t known = !last.has_record          ? std::size_t{last.end > 0}
                              : last.record.has_payload ? 3
                                                        : 2;
    cbor::Writer writer{server.setup().result};
    writer.map(known);
    if (known > 0) writer.uint(1).uint(last.end - 1);
    if (known > 1) writer.uint(2).uint(last.record.code);
    if (known > 2) writer.uint(3).bytes(last.record.payload);
    return Server::show_cbor(exchange, writer.finish());
}

}  // namespace sotto::session
