// SPDX-License-Identifier: Apache-2.0
#include "core/session/block_transfers.hpp"

#include "core/session/server.hpp"

namespace sotto::session {
namespace {

using Answer = Exchange::Answer;

bool is_part(const std::optional<coap::Block>& block) { return block && block->is_part(); }

RequestTag tag_of(const coap::Body& body) {
    const auto tag = RequestTag::from(body.options.find(coap::kRequestTag).value_or(Bytes{}));
    return tag ? *tag : RequestTag{};  // of no valid size: as if it were not there
}

std::uint8_t largest_block(const Server& server) {
    const Server::Setup& setup = server.setup();
    return coap::block_exponent(
        std::min(setup.result.size(), setup.scratch.size() - kEnvelopeSizeMax));
}

// The block that is asked for, or the first one; no larger than one message takes.
coap::Block wanted_block(const Server& server, const Exchange& exchange) {
    const coap::Block wanted = exchange.block2.value_or(coap::Block{});
    const std::uint8_t exponent = std::min(wanted.size_exponent, largest_block(server));
    return coap::block_at(wanted.offset(), 0, exponent);
}

// [SES-80] What fits one message goes without, unless the client has said how large it wants it.
bool needs_block(const Exchange& exchange, const coap::Block& wanted, std::size_t size) {
    return exchange.block2 || size > wanted.size();
}

void show_block(Exchange& exchange,
                const coap::Block& wanted,
                std::size_t size,
                const EntityTag& tag) {
    const coap::Block block = coap::block_at(wanted.offset(), size, wanted.size_exponent);
    Answer& answer = exchange.answer;
    answer.say(Answer::Block2, coap::block_value(block));
    answer.is_partial = block.has_more;
    answer.has_tag = true;
    answer.tag = tag;
    if (block.number == 0) answer.say(Answer::Size2, static_cast<std::uint32_t>(size));
}

coap::Code refuse_as_busy(Exchange& exchange) {
    exchange.answer.say(Answer::MaxAge, kTransferBusyMaxAge);
    return coap::Code::ServiceUnavailable;
}

}  // namespace

bool BlockTransfers::read(Exchange& exchange) const {
    const coap::Options& options = exchange.body().options;
    if (!coap::find_block(options, coap::kBlock1, exchange.block1) ||
        !coap::find_block(options, coap::kBlock2, exchange.block2)) {
        return false;
    }
    exchange.is_in_blocks =
        is_part(exchange.block1) || (exchange.block2 && exchange.block2->number > 0);
    return true;
}

coap::Code BlockTransfers::call(Server& server, Exchange& exchange, const Call& call) {
    Turn turn{.server = server,
              .exchange = exchange,
              .call = call,
              .key = {.session = server.number_of(exchange.entry),
                      .function = call.traits.index,
                      .format = call.format,
                      .wanted = call.wanted,
                      .tag = tag_of(exchange.body())}};
    if (exchange.block2 && exchange.block2->number > 0) return go_on_with_result(turn);
    if (exchange.block1) {
        coap::Block taken = *exchange.block1;
        taken.size_exponent = std::min(taken.size_exponent, largest_block(server));
        exchange.answer.say(Answer::Block1, coap::block_value(taken));
    }
    coap::Code code = coap::Code::RequestEntityTooLarge;
    if (is_part(exchange.block1)) {
        code = take_block(turn);
    } else if (exchange.body().payload.size() <= kPayloadSizeMax) {
        code = run_function(turn);
    }
    // RFC 7959 §2.9.3: in 4.13 it would ask for smaller blocks.
    if (!coap::is_success(code)) exchange.answer.unsay(Answer::Block1);
    return code;
}

coap::Code BlockTransfers::refuse_as_too_large(Turn& turn) {
    const std::size_t one_message = std::size_t{16} << largest_block(turn.server);
    const std::size_t largest = std::max(turn.call.traits.room.size(), one_message);
    turn.exchange.answer.say(Answer::Size1, static_cast<std::uint32_t>(largest));
    transfers_.remove(turn.key.session);
    return coap::Code::RequestEntityTooLarge;
}

// [SES-81] to [SES-83]. Nothing runs before the last block.
coap::Code BlockTransfers::take_block(Turn& turn) {
    Exchange& exchange = turn.exchange;
    const coap::Body& body = exchange.body();
    const coap::Block& block = *exchange.block1;
    const MutBytes room = turn.call.traits.room;
    const std::uint32_t piv = exchange.piv;
    Transfer* transfer = transfers_.find(turn.key.session, exchange.when());
    const bool is_late = transfer != nullptr && piv <= transfer->newest;
    if (is_late || piv < exchange.entry.floor) return coap::Code::Conflict;
    if (block.number == 0) {
        const std::size_t size = body.options.find_uint(coap::kSize1).value_or(0);
        if (std::max(size, body.payload.size()) > room.size()) return refuse_as_too_large(turn);
        transfer = transfers_.begin(turn.key, room, exchange.when());
        if (transfer == nullptr) return refuse_as_busy(exchange);
    }
    if (transfer == nullptr || transfer->has_run || transfer->key != turn.key) {
        return coap::Code::RequestEntityIncomplete;
    }
    transfer->newest = piv;
    Transfers::touch(*transfer, exchange.when());
    const Status fits = transfer->body.check(block, body.payload);
    if (!fits && (fits.error() != Error::AlreadyExists || !block.has_more)) {
        if (fits.error() == Error::TooLarge) return refuse_as_too_large(turn);
        transfers_.remove(turn.key.session);
        return fits.error() == Error::Malformed ? coap::Code::BadRequest
                                                : coap::Code::RequestEntityIncomplete;
    }
    if (!block.has_more) return run_function(turn);
    if (fits) transfer->body.append(block, body.payload);
    return coap::Code::Continue;
}

coap::Code BlockTransfers::run_function(Turn& turn) {
    auto& [server, exchange, call, key] = turn;
    Bytes argument = exchange.body().payload;
    const MutBytes room = call.traits.room;
    if (!room.empty() && transfers_.place_for(key.session, room, exchange.when()) == nullptr) {
        return refuse_as_busy(exchange);
    }
    if (const coap::Code refusal = server.admit(exchange, call.traits.is_idempotent);
        refusal != coap::Code::Empty) {
        return refusal;
    }
    Transfer* transfer = nullptr;
    if (is_part(exchange.block1)) {
        transfer = transfers_.find(key.session, exchange.when());
        transfer->body.append(*exchange.block1, argument);
        argument = transfer->body.view();
    } else if (!room.empty()) {
        transfer = transfers_.begin(key, room, exchange.when());
    }
    TaggedExcerpt result{transfer != nullptr ? room : server.setup().result};
    const Status called = server.run(call, argument, result);
    if (!called) {
        if (transfer != nullptr) transfers_.remove(key.session);
        return server.keep_result(exchange, coap::to_coap_code(called.error()));
    }
    if (transfer != nullptr) {
        transfer->body.resize(result.size());
        if (needs_block(exchange, wanted_block(server, exchange), result.size())) {
            transfer->tag = result.tag();
        }
        transfer->has_run = true;
        transfer->newest = exchange.piv;
        return server.keep_result(exchange, show_result(turn, *transfer));
    }
    exchange.answer.show(key.wanted, result.part());
    return server.keep_result(exchange, coap::Code::Changed);
}

// [SES-84] The result of a function, or a part of it: RFC 7959 §3.3.
coap::Code BlockTransfers::show_result(Turn& turn, Transfer& transfer) {
    Exchange& exchange = turn.exchange;
    const coap::Block block = wanted_block(turn.server, exchange);
    const Bytes whole = transfer.body.view();
    if (block.number > 0 && block.offset() >= whole.size()) return coap::Code::BadRequest;
    const Bytes rest = whole.subspan(block.offset());
    exchange.answer.show(transfer.key.wanted, rest.first(std::min(rest.size(), block.size())));
    if (needs_block(exchange, block, whole.size())) {
        show_block(exchange, block, whole.size(), transfer.tag);
    }
    if (rest.size() <= block.size()) transfer.is_fetched = true;
    return coap::Code::Changed;
}

coap::Code BlockTransfers::go_on_with_result(Turn& turn) {
    Exchange& exchange = turn.exchange;
    Transfer* transfer = transfers_.find(turn.key.session, exchange.when());
    // A client that has begun without a Request-Tag, or leaves it out from here on, has one only.
    const bool is_meant =
        transfer != nullptr && transfer->has_run && transfer->key.function == turn.key.function &&
        (!exchange.body().options.find(coap::kRequestTag) || transfer->key.tag == turn.key.tag);
    if (!is_meant || exchange.block1) return coap::Code::RequestEntityIncomplete;
    Transfers::touch(*transfer, exchange.when());
    return show_result(turn, *transfer);
}

coap::Code BlockTransfers::show(Server& server,
                                Exchange& exchange,
                                Format format,
                                const Traits* variable) {
    const coap::Block block = wanted_block(server, exchange);
    TaggedExcerpt part{server.setup().result.first(block.size()), block.offset()};
    const Status read = server.read(format, variable, part);
    if (!read) return Server::refusal_of(read.error());
    if (part.offset() > 0 && part.part().empty()) return coap::Code::BadRequest;
    exchange.answer.show(format, part.part());
    if (needs_block(exchange, block, part.size())) {
        show_block(exchange, block, part.size(), part.tag());
    }
    return coap::Code::Content;
}

}  // namespace sotto::session
