// SPDX-License-Identifier: Apache-2.0
// Functions, and everything that comes or goes in blocks (RFC 7959): docs/protocol/session.md,
// SES-80 to SES-85.
#include "core/session/server.hpp"

namespace sotto::session {
namespace {

Format format_of(const coap::Body& body, coap::OptionNumber option) {
    return static_cast<Format>(body.options.find_uint(option).value_or(0));  // 0 is text
}

// What arguments and results may be in.
bool is_value_format(Format format) { return format == Format::Text || format == Format::Cbor; }

bool is_part(const std::optional<coap::Block>& block) { return block && block->is_part(); }

RequestTag tag_of(const coap::Body& body) {
    const auto tag = RequestTag::from(body.options.find(coap::kRequestTag).value_or(Bytes{}));
    return tag ? *tag : RequestTag{};  // of no valid size: as if it were not there
}

}  // namespace

std::uint8_t Server::largest_block() const {
    return coap::block_exponent(
        std::min(setup_.result.size(), setup_.scratch.size() - kEnvelopeSizeMax));
}

coap::Block Server::wanted_block(const Exchange& exchange) const {
    const coap::Block wanted = exchange.block2.value_or(coap::Block{});
    const std::uint8_t exponent = std::min(wanted.size_exponent, largest_block());
    return coap::block_at(wanted.offset(), 0, exponent);
}

coap::Code Server::on_function(Exchange& exchange, std::string_view name) {
    const coap::Body& body = exchange.request.body;
    const auto traits = setup_.resources.find(ResourceKind::Function, name);
    if (!traits) return coap::Code::NotFound;
    if (body.code != coap::Code::Post) return coap::Code::MethodNotAllowed;
    if (exchange.block2 && exchange.block2->number > 0) {
        return go_on_with_result(exchange, traits->index);
    }
    const TransferKey key{.session = number_of(exchange.entry),
                          .function = traits->index,
                          .format = format_of(body, coap::kContentFormat),
                          .wanted = format_of(body, coap::kAccept),
                          .tag = tag_of(body)};
    // What cannot be taken or told is not begun.
    if (!is_value_format(key.format)) return coap::Code::UnsupportedContentFormat;
    if (!is_value_format(key.wanted)) return coap::Code::NotAcceptable;
    if (exchange.block1) {
        exchange.answer.block1 = exchange.block1;
        exchange.answer.block1->size_exponent =
            std::min(exchange.block1->size_exponent, largest_block());
    }
    coap::Code code = coap::Code::RequestEntityTooLarge;
    if (is_part(exchange.block1)) {
        code = take_block(exchange, *traits, key);
    } else if (body.payload.size() <= kPayloadSizeMax) {
        code = run_function(exchange, *traits, key);
    }
    // RFC 7959 §2.9.3: in 4.13 it would ask for smaller blocks.
    if (!coap::is_success(code)) exchange.answer.block1.reset();
    return code;
}

coap::Code Server::refuse_as_busy(Exchange& exchange) {
    exchange.answer.max_age_s = kTransferBusyMaxAge;
    return coap::Code::ServiceUnavailable;
}

coap::Code Server::refuse_as_too_large(Exchange& exchange, MutBytes room) {
    const std::size_t one_message = std::size_t{16} << largest_block();
    exchange.answer.size1 = static_cast<std::uint32_t>(std::max(room.size(), one_message));
    transfers_.remove(number_of(exchange.entry));
    return coap::Code::RequestEntityTooLarge;
}

// [SES-81] to [SES-83]. Nothing runs before the last block.
coap::Code Server::take_block(Exchange& exchange, const Traits& traits, const TransferKey& key) {
    const coap::Body& body = exchange.request.body;
    const coap::Block& block = *exchange.block1;
    const oscore::Piv piv = exchange.request.piv;
    Transfer* transfer = transfers_.find(key.session, exchange.now);
    const bool is_late = transfer != nullptr && piv <= transfer->newest;
    if (is_late || piv.value() < exchange.entry.floor) return coap::Code::Conflict;
    if (block.number == 0) {
        const std::size_t size = body.options.find_uint(coap::kSize1).value_or(0);
        if (std::max(size, body.payload.size()) > traits.room.size()) {
            return refuse_as_too_large(exchange, traits.room);
        }
        transfer = transfers_.begin(key, traits.room, exchange.now);
        if (transfer == nullptr) return refuse_as_busy(exchange);
    }
    if (transfer == nullptr || transfer->has_run || transfer->key != key) {
        return coap::Code::RequestEntityIncomplete;
    }
    transfer->newest = piv;
    Transfers::touch(*transfer, exchange.now);
    const Status fits = transfer->body.check(block, body.payload);
    if (!fits && (fits.error() != Error::AlreadyExists || !block.has_more)) {
        if (fits.error() == Error::TooLarge) return refuse_as_too_large(exchange, traits.room);
        transfers_.remove(key.session);
        return fits.error() == Error::Malformed ? coap::Code::BadRequest
                                                : coap::Code::RequestEntityIncomplete;
    }
    if (!block.has_more) return run_function(exchange, traits, key);
    if (fits) transfer->body.append(block, body.payload);
    return coap::Code::Continue;
}

coap::Code Server::run_function(Exchange& exchange, const Traits& traits, const TransferKey& key) {
    Bytes argument = exchange.request.body.payload;
    const MutBytes room = traits.room;
    if (!room.empty() && transfers_.place_for(key.session, room, exchange.now) == nullptr) {
        return refuse_as_busy(exchange);
    }
    if (const auto refusal = admit_command(exchange, traits.is_idempotent); refusal)
        return *refusal;
    Transfer* transfer = nullptr;
    if (is_part(exchange.block1)) {
        transfer = transfers_.find(key.session, exchange.now);
        transfer->body.append(*exchange.block1, argument);
        argument = transfer->body.view();
    } else if (!room.empty()) {
        transfer = transfers_.begin(key, room, exchange.now);
    }
    Excerpt result{transfer != nullptr ? room : setup_.result};
    Status called = setup_.resources.call(
        traits.index, {.format = key.format, .payload = argument}, key.wanted, result);
    if (called && !result.is_whole()) called = Error::NoSpace;
    if (!called) {
        if (transfer != nullptr) transfers_.remove(key.session);
        return keep_result(exchange, coap::to_coap_code(called.error()));
    }
    if (transfer != nullptr) {
        transfer->body.resize(result.size());
        if (needs_block(exchange, result.size())) transfer->tag = result.tag();
        transfer->has_run = true;
        transfer->newest = exchange.request.piv;
        return keep_result(exchange, show_result(exchange, *transfer));
    }
    exchange.answer.content = {.format = key.wanted, .payload = result.part()};
    exchange.answer.has_content = true;
    return keep_result(exchange, coap::Code::Changed);
}

// [SES-84] The result of a function, or a part of it: RFC 7959 §3.3.
coap::Code Server::show_result(Exchange& exchange, Transfer& transfer) {
    const coap::Block block = wanted_block(exchange);
    const Bytes whole = transfer.body.view();
    if (block.number > 0 && block.offset() >= whole.size()) return coap::Code::BadRequest;
    const Bytes rest = whole.subspan(block.offset());
    exchange.answer.content = {.format = transfer.key.wanted,
                               .payload = rest.first(std::min(rest.size(), block.size()))};
    exchange.answer.has_content = true;
    if (needs_block(exchange, whole.size())) show_block(exchange, whole.size(), transfer.tag);
    if (rest.size() <= block.size()) transfer.is_fetched = true;
    return coap::Code::Changed;
}

coap::Code Server::go_on_with_result(Exchange& exchange, std::uint8_t function) {
    const coap::Options& options = exchange.request.body.options;
    Transfer* transfer = transfers_.find(number_of(exchange.entry), exchange.now);
    // A client that has begun without a Request-Tag, or leaves it out from here on, has one only.
    const bool is_meant =
        transfer != nullptr && transfer->has_run && transfer->key.function == function &&
        (!options.find(coap::kRequestTag) || transfer->key.tag == tag_of(exchange.request.body));
    if (!is_meant || exchange.block1) return coap::Code::RequestEntityIncomplete;
    Transfers::touch(*transfer, exchange.now);
    return show_result(exchange, *transfer);
}

coap::Code Server::show(Exchange& exchange, Format format, const Traits* variable) {
    const coap::Block block = wanted_block(exchange);
    Excerpt part{setup_.result.first(block.size()), block.offset()};
    const Status status = variable != nullptr ? setup_.resources.read(variable->index, format, part)
                                              : setup_.resources.describe(part);
    if (!status) {
        const bool is_format = status.error() == Error::Unsupported;
        return is_format ? coap::Code::NotAcceptable : coap::to_coap_code(status.error());
    }
    if (part.offset() > 0 && part.part().empty()) return coap::Code::BadRequest;
    exchange.answer.content = {.format = format, .payload = part.part()};
    exchange.answer.has_content = true;
    if (needs_block(exchange, part.size())) show_block(exchange, part.size(), part.tag());
    return coap::Code::Content;
}

// [SES-80] What fits one message goes without, unless the client has said how large it wants it.
bool Server::needs_block(const Exchange& exchange, std::size_t size) const {
    return exchange.block2 || size > wanted_block(exchange).size();
}

void Server::show_block(Exchange& exchange, std::size_t size, const EntityTag& tag) {
    const coap::Block wanted = wanted_block(exchange);
    const coap::Block block = coap::block_at(wanted.offset(), size, wanted.size_exponent);
    exchange.answer.block2 = block;
    exchange.answer.tag = tag;
    if (block.number == 0) exchange.answer.size2 = static_cast<std::uint32_t>(size);
}

}  // namespace sotto::session
