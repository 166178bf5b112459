// SPDX-License-Identifier: Apache-2.0
// The resources behind the sealed channel: who may use which, and what they answer.
#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/framing/text.hpp"
#include "core/session/server.hpp"

namespace sotto::session {
namespace {

constexpr std::string_view kTagQuery = "k=";
constexpr auto kObservationSeconds = static_cast<std::uint32_t>(kObservationLifetime.ms / 1'000);
constexpr std::array<coap::OptionNumber, 8> kOfFunctions{coap::kUriHost,
                                                         coap::kUriPort,
                                                         coap::kUriPath,
                                                         coap::kUriQuery,
                                                         coap::kAccept,
                                                         coap::kBlock1,
                                                         coap::kBlock2,
                                                         coap::kNotAfter};
constexpr std::span kUnderstood{kOfFunctions.data(), kOfFunctions.size() - 1};

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

Format format_of(const coap::Body& body, coap::OptionNumber option) {
    return static_cast<Format>(body.options.find_uint(option).value_or(0));  // 0 is text
}

// A value of the map of PUT /n, with the key in front of it.
Status read_key(cbor::Reader& in, std::uint8_t key) {
    SOTTO_TRY_ASSIGN(const std::uint64_t found, in.uint());
    if (found != key) return Error::Malformed;
    return {};
}

Status read_bytes(cbor::Reader& in, std::uint8_t key, MutBytes out) {
    SOTTO_TRY(read_key(in, key));
    SOTTO_TRY_ASSIGN(const Bytes bytes, in.bytes());
    if (bytes.size() != out.size()) return Error::Malformed;
    std::ranges::copy(bytes, out.begin());
    return {};
}

// What PUT /n wants: a cloud to be tried, or the one on trial to be confirmed, if it names a
// version alone.
Status parse_cloud(Bytes payload, keystore::CloudRecord& cloud, bool& is_confirmation) {
    cbor::Reader in{payload};
    SOTTO_TRY_ASSIGN(const std::size_t count, in.map());
    if (count != 4 && count != 1) return Error::Malformed;
    SOTTO_TRY(read_key(in, 1));
    SOTTO_TRY_ASSIGN(const std::uint64_t version, in.uint());
    if (version == 0 || version > 0xffff'ffff) return Error::Malformed;
    cloud.version = static_cast<std::uint32_t>(version);
    is_confirmation = count == 1;
    if (is_confirmation) return in.finish();
    SOTTO_TRY(read_key(in, 2));
    SOTTO_TRY_ASSIGN(const std::string_view address, in.text());
    // [AIR-11] What ATTACH could not carry would leave the device with no cloud to go to.
    if (address.empty() || address.size() > keystore::kAddressSizeMax) return Error::Malformed;
    if (!framing::is_visible_ascii(address)) return Error::Malformed;
    cloud.address = FixedBytes<keystore::kAddressSizeMax>{as_bytes(address)};
    SOTTO_TRY(read_bytes(in, 3, cloud.credential_hash));
    SOTTO_TRY(read_bytes(in, 4, cloud.claim));
    return in.finish();
}

// What PUT /m/owner wants: the owner's next credential, and K_tok.
Result<cose::Credential> parse_owner(Bytes payload, keystore::TokenKey& token_key) {
    cbor::Reader in{payload};
    SOTTO_TRY_ASSIGN(const std::size_t count, in.map());
    if (count != 2) return Error::Malformed;
    SOTTO_TRY(read_key(in, 1));
    SOTTO_TRY_ASSIGN(const Bytes credential, in.bytes());
    SOTTO_TRY(read_bytes(in, 2, token_key.fill()));
    SOTTO_TRY(in.finish());
    return cose::Credential::parse(credential);
}

}  // namespace

// A resource that every device has.
struct Server::Route {
    const char* path;
    Role role;          // that it is for; Trusted: any but the cloud's
    bool takes_blocks;  // [SES-80] the others take and give one message only
    coap::Code (Server::*handler)(Exchange& exchange);
};

const Server::Route* Server::find_route(const coap::Options& options) {
    static constexpr Route kRoutes[] = {
        {"/a", Role::Cloud, false, &Server::on_attach},
        {"/n", Role::Owner, false, &Server::on_network},
        {"/m/owner", Role::Owner, false, &Server::on_owner},
        {"/last", Role::Trusted, false, &Server::on_last},
        {"/t", Role::Trusted, false, &Server::on_time},
        {"/.well-known/core", Role::Trusted, true, &Server::on_description},
    };
    for (const Route& route : kRoutes) {
        if (options.path_is(route.path)) return &route;
    }
    return nullptr;
}

coap::Code Server::dispatch(Exchange& exchange) {
    const coap::Options& options = exchange.request.body.options;
    const auto first = options.find_text(coap::kUriPath, 0);
    const char kind = first && first->size() == 1 ? first->front() : ' ';
    const bool is_function = kind == 'f';  // [SES-90] only they can be deferred
    if (options.find_bad_critical(is_function ? std::span{kOfFunctions} : kUnderstood))
        return coap::Code::BadOption;
    // RFC 7959 §2.2: a reserved size
    if (!coap::find_block(options, coap::kBlock1, exchange.block1) ||
        !coap::find_block(options, coap::kBlock2, exchange.block2))
        return coap::Code::BadRequest;
    const Role role = exchange.entry.role;
    const Route* route = find_route(options);
    const bool is_attach = route != nullptr && route->role == Role::Cloud;
    if (is_attach != (role == Role::Cloud)) return coap::Code::Forbidden;  // [SES-30]
    if (route == nullptr && options.count(coap::kUriPath) == 2) {
        const std::string_view name = *options.find_text(coap::kUriPath, 1);
        if (is_function) return on_function(exchange, name);
        if (kind == 'v') return on_variable(exchange, name);
        if (kind == 'e') return on_event(exchange, name);
    }
    const bool has_blocks = (exchange.block1 && exchange.block1->is_part()) ||
                            (exchange.block2 && exchange.block2->number > 0);
    if (has_blocks && (route == nullptr || !route->takes_blocks)) return coap::Code::BadOption;
    if (route == nullptr) return coap::Code::NotFound;
    if (route->role == Role::Owner && role != Role::Owner) return coap::Code::Forbidden;
    return (this->*route->handler)(exchange);
}

std::optional<coap::Code> Server::admit_command(Exchange& exchange, bool is_idempotent) {
    const oscore::Piv piv = exchange.request.piv;
    if (piv.value() < exchange.entry.floor) return coap::Code::Conflict;
    const auto not_after = exchange.request.body.options.find_uint(coap::kNotAfter);
    if (not_after) return admit_deferred(exchange, *not_after);
    if (!exchange.is_fresh) return challenge(exchange);  // [SES-44]
    if (is_idempotent) {
        SessionTable::raise_floor_in_ram(exchange.entry, piv);
    } else if (!sessions_.raise_floor(exchange.entry, piv, exchange.now)) {  // [SES-41]
        return coap::Code::InternalServerError;
    }
    return std::nullopt;
}

// [SES-91] Its number is used up in any case, so that what was refused once never runs.
std::optional<coap::Code> Server::admit_deferred(Exchange& exchange, std::uint32_t not_after) {
    if (!sessions_.raise_floor(exchange.entry, exchange.request.piv, exchange.now)) {
        return coap::Code::InternalServerError;
    }
    const auto time = clock_.at(exchange.now);
    if (!time) return keep_result(exchange, coap::Code::ServiceUnavailable);
    if (*time > not_after) return keep_result(exchange, coap::Code::PreconditionFailed);
    return std::nullopt;
}

coap::Code Server::keep_result(Exchange& exchange, coap::Code code) {
    exchange.answer.brings_echo = true;
    exchange.answer.was_executed = true;
    const auto slot = sessions_.slot_of(exchange.entry);
    if (!slot) return code;
    keystore::ResultRecord result{.tag = sessions_.tag_of(exchange.entry),
                                  .piv = static_cast<std::uint32_t>(exchange.request.piv.value()),
                                  .code = static_cast<std::uint8_t>(code)};
    const Bytes payload = exchange.answer.content.payload;
    const bool is_whole = !exchange.answer.block2 || !exchange.answer.block2->has_more;
    result.has_payload = is_whole && payload.size() <= keystore::kResultSizeMax;
    if (result.has_payload) result.payload = FixedBytes<keystore::kResultSizeMax>{payload};
    // If this fails the command has run all the same, and /last says less than it could.
    (void)keystore::store_result(sessions_.storage_of(exchange.entry), *slot, result).has_value();
    return code;
}

coap::Code Server::on_variable(Exchange& exchange, std::string_view name) {
    const auto traits = setup_.resources.find(ResourceKind::Variable, name);
    if (!traits) return coap::Code::NotFound;
    const coap::Body& body = exchange.request.body;
    if (body.code != coap::Code::Get) return coap::Code::MethodNotAllowed;
    return show(exchange, format_of(body, coap::kAccept), &*traits);
}

coap::Code Server::on_event(Exchange& exchange, std::string_view name) {
    const auto traits = setup_.resources.find(ResourceKind::Event, name);
    if (!traits) return coap::Code::NotFound;
    const coap::Body& body = exchange.request.body;
    if (body.code != coap::Code::Get) return coap::Code::MethodNotAllowed;
    const std::uint8_t session = number_of(exchange.entry);
    const Bytes token = exchange.header.token;
    if (body.options.find_uint(coap::kObserve) == 0) {
        const Observation observation{.session = session,
                                      .event = traits->index,
                                      .channel = exchange.channel,
                                      .token = FixedBytes<coap::kTokenSizeMax>{token},
                                      .binding = exchange.request.binding,
                                      .expires = exchange.now + kObservationLifetime};
        // RFC 7641 §4.1: without room the answer carries no Observe option.
        exchange.answer.is_observed = observations_.add(observation, exchange.now).has_value();
        exchange.answer.max_age_s = kObservationSeconds;
    } else {
        observations_.remove(session, token);
    }
    return coap::Code::Content;
}

coap::Code Server::show_cbor(Exchange& exchange, const Result<Bytes>& payload) {
    if (!payload) return coap::Code::InternalServerError;
    exchange.answer.content = {.format = Format::Cbor, .payload = *payload};
    exchange.answer.has_content = true;
    return coap::Code::Content;
}

coap::Code Server::on_description(Exchange& exchange) {
    if (exchange.request.body.code != coap::Code::Get) return coap::Code::MethodNotAllowed;
    return show(exchange, Format::Link, nullptr);
}

coap::Code Server::on_network(Exchange& exchange) {
    const coap::Code method = exchange.request.body.code;
    if (method == coap::Code::Put) return try_cloud(exchange);
    if (method != coap::Code::Get) return coap::Code::MethodNotAllowed;
    cbor::Writer writer{setup_.result};
    if (const auto& cloud = authority_.cloud(); cloud) {
        writer.map(4).uint(1).uint(cloud->version).uint(2).text(as_text(cloud->address));
        writer.uint(3).bytes(cloud->credential_hash);
        writer.uint(5).boolean(authority_.is_cloud_on_trial());
    } else {
        writer.map(0);
    }
    return show_cbor(exchange, writer.finish());
}

coap::Code Server::try_cloud(Exchange& exchange) {
    keystore::CloudRecord cloud;
    bool is_confirmation = false;
    if (!parse_cloud(exchange.request.body.payload, cloud, is_confirmation)) {
        return coap::Code::BadRequest;
    }
    if (const auto refusal = admit_command(exchange, false); refusal) return *refusal;
    if (is_confirmation) return confirm_cloud(exchange, cloud.version);
    const auto& before = authority_.cloud();
    const bool is_other = before && before->credential_hash != cloud.credential_hash;
    const Status tried = authority_.try_cloud(cloud, exchange.now);
    if (!tried) return keep_result(exchange, coap::to_coap_code(tried.error()));
    if (is_other) end_cloud_session();
    ++revision_;
    return keep_result(exchange, coap::Code::Changed);
}

// [SES-62] Only who comes through the cloud can tell that it works.
coap::Code Server::confirm_cloud(Exchange& exchange, std::uint32_t version) {
    if (!exchange.channel.is_relay()) return keep_result(exchange, coap::Code::Forbidden);
    const Status confirmed = authority_.confirm_cloud(version);
    return keep_result(exchange,
                       confirmed ? coap::Code::Changed : coap::to_coap_code(confirmed.error()));
}

// [SES-61] The session of the cloud is that of the one in /n: a former one has lost its right.
void Server::end_cloud_session() {
    sessions_.erase_role(Role::Cloud);
    forget_ended();
}

// [SES-27] The sessions of whoever has the former key go first: a power cut in between costs him a
// handshake, and never leaves him one beside the new owner.
coap::Code Server::on_owner(Exchange& exchange) {
    const coap::Body& body = exchange.request.body;
    if (body.code != coap::Code::Put) return coap::Code::MethodNotAllowed;
    keystore::TokenKey token_key;
    const auto owner = parse_owner(body.payload, token_key);
    if (!owner || *owner == setup_.identity.credential) return coap::Code::BadRequest;
    if (const auto refusal = admit_command(exchange, false); refusal) return *refusal;
    Status done = sessions_.erase_others(exchange.entry);
    forget_ended();
    if (done) done = authority_.hand_over(*owner, std::move(token_key));
    if (!done) return keep_result(exchange, coap::to_coap_code(done.error()));
    cbor::Writer writer{setup_.result};
    writer.map(1).uint(1).uint(authority_.generation());
    const coap::Code shown = show_cbor(exchange, writer.finish());
    return keep_result(exchange, shown == coap::Code::Content ? coap::Code::Changed : shown);
}

coap::Code Server::on_attach(Exchange& exchange) {
    if (exchange.request.body.code != coap::Code::Post) return coap::Code::MethodNotAllowed;
    const auto& cloud = authority_.cloud();
    if (!cloud) return coap::Code::NotFound;
    authority_.on_cloud_proved();
    cbor::Writer writer{setup_.result};
    writer.map(2).uint(1).bytes(cloud->claim).uint(2).uint(cloud->version);
    const coap::Code code = show_cbor(exchange, writer.finish());
    return code == coap::Code::Content ? coap::Code::Changed : code;
}

// [SES-95] What PUT brings has been heard already, where it counts.
coap::Code Server::on_time(Exchange& exchange) {
    const coap::Body& body = exchange.request.body;
    if (body.code == coap::Code::Put) {
        if (exchange.entry.role != Role::Owner) return coap::Code::Forbidden;
        if (!body.options.find_uint(coap::kTime)) return coap::Code::BadRequest;
        if (!exchange.is_fresh) return challenge(exchange);
    } else if (body.code != coap::Code::Get) {
        return coap::Code::MethodNotAllowed;
    }
    cbor::Writer writer{setup_.result};
    const auto time = clock_.at(exchange.now);
    writer.map(time ? 1 : 0);
    if (time) writer.uint(1).uint(*time);
    return show_cbor(exchange, writer.finish());
}

coap::Code Server::on_last(Exchange& exchange) {
    const coap::Body& body = exchange.request.body;
    if (body.code != coap::Code::Get) return coap::Code::MethodNotAllowed;
    keystore::SessionTag tag = sessions_.tag_of(exchange.entry);
    if (const auto query = body.options.find_text(coap::kUriQuery, 0); query) {
        if (!parse_tag(*query, tag)) return coap::Code::BadRequest;
    }
    SessionEntry* named = sessions_.find_tag(tag);
    if (named != nullptr && named->role != exchange.entry.role) return coap::Code::NotFound;
    SessionTable::LastExecuted last;
    const bool is_sure = sessions_.find_last(named, tag, last);
    if (named == &exchange.entry) {  // [SES-45] whatever was sent before is late from now on
        named->window = oscore::ReplayWindow{exchange.entry.window.next()};
    } else if (named != nullptr) {
        end_session(*named);
    }
    if (!is_sure) return coap::Code::NotFound;
    LastResult result;
    if (last.end > 0) result.piv = oscore::Piv{last.end - 1};
    if (last.has_record) {
        result.code = static_cast<coap::Code>(last.record.code);
        if (last.record.has_payload) result.payload = last.record.payload.view();
    }
    return show_cbor(exchange, encode_last_result(result, setup_.result));
}

}  // namespace sotto::session
