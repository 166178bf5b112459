// SPDX-License-Identifier: Apache-2.0
#include "core/session/basic_parts.hpp"

#include "core/session/last_result.hpp"
#include "core/session/server.hpp"

namespace sotto::session {
namespace {

constexpr std::string_view kTagQuery = "k=";

// -1 for what is no lower-case hex digit.
int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool parse_tag(std::string_view query, keystore::SessionTag& tag) {
    if (query.size() != kTagQuery.size() + 2 * tag.size()) return false;
    if (std::string_view{query.data(), kTagQuery.size()} != kTagQuery) return false;
    query.remove_prefix(kTagQuery.size());
    for (std::size_t i = 0; i < tag.size(); ++i) {
        const int high = hex_digit(query[2 * i]);
        const int low = hex_digit(query[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        tag[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
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
    if (const auto query = body.options.find_text(coap::kUriQuery, 0); query) {
        if (!parse_tag(*query, tag)) return coap::Code::BadRequest;
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
    LastResult result;
    if (last.end > 0) result.piv = oscore::Piv{last.end - 1};
    if (last.has_record) {
        result.code = static_cast<coap::Code>(last.record.code);
        if (last.record.has_payload) result.payload = last.record.payload.view();
    }
    return Server::show_cbor(exchange, encode_last_result(result, server.setup().result));
}

}  // namespace sotto::session
