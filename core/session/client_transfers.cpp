// SPDX-License-Identifier: Apache-2.0
// The client's arguments and answers in blocks (RFC 7959): docs/protocol/session.md, SES-80 to
// SES-87.
#include "core/session/client.hpp"
#include "core/session/client_options.hpp"

namespace sotto::session {

bool Client::may_run() const {
    const Transfer& transfer = job_.transfer;
    return job_.step == Step::Request && is_command() && !transfer.fetches &&
           !transfer.out.block().has_more;
}

void Client::add_block(Extras& extras, oscore::Piv piv) {
    Transfer& transfer = job_.transfer;
    if (transfer.fetches) {
        extras.block2 = transfer.wanted;
    } else if (transfer.out.is_divided()) {
        extras.block1 = transfer.out.block();
        if (transfer.out.offset() == 0) {
            extras.size1 = static_cast<std::uint32_t>(transfer.out.size());
            // A number of this session that never comes again.
            transfer.request_tag = oscore::bind_request(piv).piv;
        }
        extras.payload = transfer.argument.subspan(transfer.out.offset(), transfer.out.part_size());
    } else {
        extras.payload = transfer.argument;
    }
    extras.request_tag = transfer.request_tag;
}

std::optional<Client::Progress> Client::progress() const {
    const Transfer& transfer = job_.transfer;
    if (transfer.fetches) {
        return Progress{.done = transfer.in.size(), .total = transfer.size2, .is_answer = true};
    }
    if (!transfer.out.is_divided()) return std::nullopt;
    return Progress{.done = transfer.out.offset(), .total = transfer.out.size()};
}

// The device has proved that it is there: what was counted against it is void.
void Client::renew_patience(Instant now) {
    job_.until = std::max(job_.until, now + std::max(job_.patience, kTransferLifetime));
    job_.challenge_count = 0;
    job_.hint_count = 0;
}

std::optional<Event> Client::on_result(const coap::Body& body, Instant now) {
    Transfer& transfer = job_.transfer;
    const bool is_first = transfer.out.offset() == 0;
    if (body.code == coap::Code::Continue) return on_continue(body, now);
    const auto block = coap::find_block(body.options, coap::kBlock2);
    if (!block) return std::nullopt;
    if (transfer.fetches || (*block && coap::is_success(body.code))) {
        return on_block(body, block->value_or(coap::Block{}), now);
    }
    if (body.code == coap::Code::RequestEntityIncomplete && !is_first) return restart(now, 0);
    if (body.code == coap::Code::RequestEntityTooLarge && transfer.out.is_divided()) {
        // RFC 7959 §2.9.3: with a smaller size in Block1 it is to be tried in those.
        const auto hint = coap::find_block(body.options, coap::kBlock1);
        if (hint && *hint && transfer.out.shrink((*hint)->size_exponent)) return restart(now, 0);
    }
    const auto max_age = body.options.find_uint(coap::kMaxAge);
    if (body.code == coap::Code::ServiceUnavailable && max_age) {  // [SES-83] it was not run
        job_.is_at_risk = false;
        return pause(now, seconds(std::max(*max_age, std::uint32_t{1})));
    }
    return end(
        Answer{.code = body.code, .format = format_of(body.options), .payload = body.payload});
}

std::optional<Event> Client::on_continue(const coap::Body& body, Instant now) {
    coap::OutgoingBody& out = job_.transfer.out;
    const auto block = coap::find_block(body.options, coap::kBlock1);
    const bool is_expected = out.is_divided() && out.block().has_more && !job_.transfer.fetches;
    if (!is_expected || !block || !*block || !out.on_continue(**block)) {
        return fail(Reason::NotWhole, now);
    }
    renew_patience(now);
    return send_request(now);
}

std::optional<Event> Client::restart(Instant now, std::size_t offset) {
    Transfer& transfer = job_.transfer;
    job_.is_at_risk = false;
    if (++transfer.restart_count > kTransferRestartMax) return fail(Reason::NotExecuted, now);
    if (offset == 0) transfer.out.restart();
    renew_patience(now);
    return send_request(now);
}

// A chip takes frames of 512 bytes: a first block that gets no answer may have been too large.
bool Client::is_to_shrink(Instant now) {
    const coap::OutgoingBody& out = job_.transfer.out;
    const bool is_silent = job_.kind == JobKind::Request && job_.step == Step::Request &&
                           exchange_.sent_count() >= 2 && exchange_.is_due(now);
    return is_silent && out.is_divided() && shrink();
}

bool Client::shrink() {
    coap::OutgoingBody& out = job_.transfer.out;
    if (out.offset() > 0 || !out.shrink(kSmallBlockExponent) || !out.is_divided()) return false;
    block_exponent_ = kSmallBlockExponent;
    return true;
}

std::optional<Event> Client::on_block(const coap::Body& body,
                                      const coap::Block& block,
                                      Instant now) {
    Transfer& transfer = job_.transfer;
    const auto etag =
        FixedBytes<coap::kTokenSizeMax>::from(body.options.find(coap::kETag).value_or(Bytes{}));
    if (!etag) return std::nullopt;
    job_.is_at_risk = false;  // it has been told how it ended
    if (!transfer.fetches) {
        transfer.first = {.code = body.code, .format = format_of(body.options), .payload = Bytes{}};
        transfer.etag = *etag;
        transfer.size2 = body.options.find_uint(coap::kSize2).value_or(0);
        transfer.in.clear();
        if (!block.has_more) {  // all of it: no room is needed
            transfer.first.payload = body.payload;
            return end(transfer.first);
        }
        transfer.fetches = true;
    }
    if (body.code != transfer.first.code || !(*etag == transfer.etag)) return lose_answer(now);
    const Status fits = transfer.in.check(block, body.payload);
    if (!fits || transfer.size2 > transfer.in.room().size()) return fail(Reason::NotWhole, now);
    transfer.in.append(block, body.payload);
    return go_on_with_answer(block, now);
}

std::optional<Event> Client::go_on_with_answer(const coap::Block& block, Instant now) {
    Transfer& transfer = job_.transfer;
    if (!block.has_more) {
        transfer.first.payload = transfer.in.view();
        return end(transfer.first);
    }
    transfer.wanted = coap::block_at(transfer.in.size(), 0, block.size_exponent);
    renew_patience(now);
    return send_request(now);
}

// [SES-85] A variable is read again from its first block; a result there is only once.
std::optional<Event> Client::lose_answer(Instant now) {
    Transfer& transfer = job_.transfer;
    const bool is_again = !is_command() && ++transfer.restart_count <= kTransferRestartMax;
    if (!is_again) return fail(Reason::NotWhole, now);
    transfer.fetches = false;
    transfer.in.clear();
    renew_patience(now);
    return send_request(now);
}

}  // namespace sotto::session
