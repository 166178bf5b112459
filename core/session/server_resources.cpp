// SPDX-License-Identifier: Apache-2.0
// The resources behind the sealed channel: who may use which, and what they answer.
#include "core/base/reader.hpp"
#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/framing/text.hpp"
#include "core/session/server.hpp"

namespace sotto::session {
namespace {

constexpr std::uint32_t kLifetimeS = static_cast<std::uint32_t>(kObservationLifetime.ms / 1'000);
constexpr std::string_view kTagQuery = "k=";

std::optional<std::uint32_t> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return std::nullopt;
}

std::optional<keystore::SessionTag> parse_tag(std::string_view hex) {
    keystore::SessionTag tag{};
    if (hex.size() != 2 * tag.size()) return std::nullopt;
    for (std::size_t i = 0; i < tag.size(); ++i) {
        const auto high = hex_digit(hex[2 * i]);
        const auto low = hex_digit(hex[2 * i + 1]);
        if (!high || !low) return std::nullopt;
        tag[i] = static_cast<std::uint8_t>(*high << 4 | *low);
    }
    return tag;
}

// The format of an argument; text if nothing is said.
Format format_of(const coap::Body& body) {
    return static_cast<Format>(body.options.find_uint(coap::kContentFormat).value_or(0));
}

Format wanted_by(const coap::Body& body, Format otherwise) {
    const auto accept = body.options.find_uint(coap::kAccept);
    return accept ? static_cast<Format>(*accept) : otherwise;
}

// What arguments, results and values may be in.
bool is_value_format(Format format) { return format == Format::Text || format == Format::Cbor; }

Result<keystore::CloudRecord> parse_cloud(Bytes payload) {
    cbor::Reader in{payload};
    keystore::CloudRecord cloud;
    const auto expect_key = [&in](std::uint64_t key) -> Status {
        SOTTO_TRY_ASSIGN(const std::uint64_t found, in.uint());
        if (found != key) return Error::Malformed;
        return {};
    };
    SOTTO_TRY_ASSIGN(const std::size_t count, in.map());
    if (count != 4) return Error::Malformed;
    SOTTO_TRY(expect_key(1));
    SOTTO_TRY_ASSIGN(const std::uint64_t version, in.uint());
    if (version == 0 || version > 0xffff'ffff) return Error::Malformed;
    cloud.version = static_cast<std::uint32_t>(version);
    SOTTO_TRY(expect_key(2));
    SOTTO_TRY_ASSIGN(const std::string_view address, in.text());
    SOTTO_TRY_ASSIGN(cloud.address, FixedBytes<keystore::kAddressSizeMax>::from(as_bytes(address)));
    SOTTO_TRY(expect_key(3));
    SOTTO_TRY_ASSIGN(const Bytes hash, in.bytes());
    SOTTO_TRY(expect_key(4));
    SOTTO_TRY_ASSIGN(const Bytes claim, in.bytes());
    SOTTO_TRY(in.finish());
    // [AIR-11] What ATTACH could not carry would leave the device with no cloud to go to.
    if (address.empty() || !framing::is_visible_ascii(address)) return Error::Malformed;
    if (hash.size() != crypto::kHashSize || claim.size() != keystore::kClaimSize) {
        return Error::Malformed;
    }
    std::copy(hash.begin(), hash.end(), cloud.credential_hash.begin());
    std::copy(claim.begin(), claim.end(), cloud.claim.begin());
    return cloud;
}

}  // namespace

Server::Answer Server::dispatch(Exchange& exchange, const coap::Body& body) {
    const coap::Options& options = body.options;
    const std::array understood{
        coap::kUriHost, coap::kUriPort, coap::kUriPath, coap::kUriQuery, coap::kAccept};
    if (options.find_bad_critical(understood)) return {.code = coap::Code::BadOption};
    const Role role = exchange.entry.role;
    if (options.path_is("/a")) {
        if (role != Role::Cloud) return {.code = coap::Code::Forbidden};
        return on_attach(body);
    }
    if (role == Role::Cloud) return {.code = coap::Code::Forbidden};  // [SES-30]
    if (options.path_is("/n")) {
        if (role != Role::Owner) return {.code = coap::Code::Forbidden};
        return on_network(exchange, body);
    }
    if (options.path_is("/last")) return on_last(exchange, body);
    if (options.path_is("/.well-known/core")) return on_description(body);
    if (options.count(coap::kUriPath) == 2) {
        const std::string_view kind = *options.find_text(coap::kUriPath, 0);
        const std::string_view name = *options.find_text(coap::kUriPath, 1);
        if (kind == "f") return on_function(exchange, body, name);
        if (kind == "v") return on_variable(body, name);
        if (kind == "e") return on_event(exchange, body, name);
    }
    return {.code = coap::Code::NotFound};
}

Server::Answer Server::on_function(Exchange& exchange,
                                   const coap::Body& body,
                                   std::string_view name) {
    const auto traits = setup_.resources.find(ResourceKind::Function, name);
    if (!traits) return {.code = coap::Code::NotFound};
    if (body.code != coap::Code::Post) return {.code = coap::Code::MethodNotAllowed};
    if (body.payload.size() > kPayloadSizeMax) return {.code = coap::Code::RequestEntityTooLarge};
    return run_function(exchange, body, *traits);
}

std::optional<Server::Answer> Server::admit_command(Exchange& exchange,
                                                    const coap::Body& body,
                                                    bool is_idempotent) {
    if (exchange.piv.value() < exchange.entry.floor) return Answer{.code = coap::Code::Conflict};
    if (!is_fresh(exchange, body)) {  // [SES-44]
        return Answer{.code = coap::Code::Unauthorized, .brings_echo = true, .has_own_piv = true};
    }
    if (is_idempotent) {
        SessionTable::raise_floor_in_ram(exchange.entry, exchange.piv);
    } else if (!sessions_.raise_floor(exchange.entry, exchange.piv, exchange.now)) {  // [SES-41]
        return Answer{.code = coap::Code::InternalServerError};
    }
    return std::nullopt;
}

Server::Answer Server::run_function(Exchange& exchange,
                                    const coap::Body& body,
                                    const Traits& traits) {
    const Format format = format_of(body);
    const Format wanted = wanted_by(body, Format::Text);
    // What cannot be taken or told is not begun.
    if (!is_value_format(format)) return {.code = coap::Code::UnsupportedContentFormat};
    if (!is_value_format(wanted)) return {.code = coap::Code::NotAcceptable};
    if (auto refusal = admit_command(exchange, body, traits.is_idempotent); refusal)
        return *refusal;
    const auto result = setup_.resources.call(
        traits.index, {.format = format, .payload = body.payload}, wanted, setup_.result);
    Answer answer{.code = coap::Code::Changed, .brings_echo = true, .was_executed = true};
    if (result) {
        answer.content = *result;
    } else {
        answer.code = coap::to_coap_code(result.error());
    }
    keep_result(exchange, answer);
    return answer;
}

void Server::keep_result(const Exchange& exchange, const Answer& answer) {
    const auto slot = sessions_.slot_of(exchange.entry);
    if (!slot) return;
    keystore::ResultRecord result{.tag = sessions_.tag_of(exchange.entry),
                                  .piv = static_cast<std::uint32_t>(exchange.piv.value()),
                                  .code = static_cast<std::uint8_t>(answer.code)};
    if (answer.content) {
        const auto payload = decltype(result.payload)::from(answer.content->payload);
        result.has_payload = payload.has_value();
        if (payload) result.payload = *payload;
    }
    // If this fails the command has run all the same, and /last says less than it could.
    (void)keystore::store_result(sessions_.storage_of(exchange.entry), *slot, result).has_value();
}

Server::Answer Server::on_variable(const coap::Body& body, std::string_view name) {
    const auto traits = setup_.resources.find(ResourceKind::Variable, name);
    if (!traits) return {.code = coap::Code::NotFound};
    if (body.code != coap::Code::Get) return {.code = coap::Code::MethodNotAllowed};
    const auto content =
        setup_.resources.read(traits->index, wanted_by(body, Format::Text), setup_.result);
    if (content) return {.code = coap::Code::Content, .content = *content};
    if (content.error() == Error::Unsupported) return {.code = coap::Code::NotAcceptable};
    return {.code = coap::to_coap_code(content.error())};
}

Server::Answer Server::on_event(Exchange& exchange, const coap::Body& body, std::string_view name) {
    const auto traits = setup_.resources.find(ResourceKind::Event, name);
    if (!traits) return {.code = coap::Code::NotFound};
    if (body.code != coap::Code::Get) return {.code = coap::Code::MethodNotAllowed};
    const auto session = static_cast<std::uint8_t>(sessions_.index_of(exchange.entry));
    const auto observe = body.options.find_uint(coap::kObserve);
    Answer answer{.code = coap::Code::Content};
    if (observe == 0) {
        const Observation observation{
            .session = session,
            .event = traits->index,
            .channel = exchange.channel,
            .token = FixedBytes<coap::kTokenSizeMax>{exchange.header.token},
            .binding = exchange.binding,
            .expires = exchange.now + kObservationLifetime};
        // RFC 7641 §4.1: without room the answer carries no Observe option.
        answer.is_observed = observations_.add(observation, exchange.now).has_value();
        answer.max_age_s = kLifetimeS;
    } else {
        observations_.remove(session, exchange.header.token);
    }
    return answer;
}

Server::Answer Server::on_description(const coap::Body& body) {
    if (body.code != coap::Code::Get) return {.code = coap::Code::MethodNotAllowed};
    const auto content = setup_.resources.describe(setup_.result);
    if (!content) return {.code = coap::Code::InternalServerError};
    return {.code = coap::Code::Content, .content = *content};
}

Server::Answer Server::on_network(Exchange& exchange, const coap::Body& body) {
    if (body.code == coap::Code::Put) return assign_cloud(exchange, body);
    if (body.code != coap::Code::Get) return {.code = coap::Code::MethodNotAllowed};
    cbor::Writer writer{setup_.result};
    if (const auto& cloud = authority_.cloud(); cloud) {
        writer.map(3).uint(1).uint(cloud->version).uint(2).text(as_text(cloud->address));
        writer.uint(3).bytes(cloud->credential_hash);
    } else {
        writer.map(0);
    }
    const auto payload = writer.finish();
    if (!payload) return {.code = coap::Code::InternalServerError};
    return {.code = coap::Code::Content,
            .content = Content{.format = Format::Cbor, .payload = *payload}};
}

Server::Answer Server::assign_cloud(Exchange& exchange, const coap::Body& body) {
    const auto cloud = parse_cloud(body.payload);
    if (!cloud) return {.code = coap::Code::BadRequest};
    if (auto refusal = admit_command(exchange, body, false); refusal) return *refusal;
    const auto& before = authority_.cloud();
    const bool is_other = before && before->credential_hash != cloud->credential_hash;
    const Status assigned = authority_.assign_cloud(*cloud);
    if (assigned) ++revision_;
    // [SES-61] The claim is for the cloud in /n: a former one has lost its right.
    if (assigned && is_other) sessions_.erase_role(Role::Cloud);
    Answer answer{.code = assigned ? coap::Code::Changed : coap::to_coap_code(assigned.error()),
                  .brings_echo = true,
                  .was_executed = true};
    keep_result(exchange, answer);
    return answer;
}

Server::Answer Server::on_attach(const coap::Body& body) {
    if (body.code != coap::Code::Post) return {.code = coap::Code::MethodNotAllowed};
    const auto& cloud = authority_.cloud();
    if (!cloud) return {.code = coap::Code::NotFound};
    cbor::Writer writer{setup_.result};
    writer.map(2).uint(1).bytes(cloud->claim).uint(2).uint(cloud->version);
    const auto payload = writer.finish();
    if (!payload) return {.code = coap::Code::InternalServerError};
    return {.code = coap::Code::Changed,
            .content = Content{.format = Format::Cbor, .payload = *payload}};
}

Server::Answer Server::on_last(Exchange& exchange, const coap::Body& body) {
    if (body.code != coap::Code::Get) return {.code = coap::Code::MethodNotAllowed};
    keystore::SessionTag tag = sessions_.tag_of(exchange.entry);
    if (const auto query = body.options.find_text(coap::kUriQuery, 0); query) {
        const auto asked = query->starts_with(kTagQuery)
                               ? parse_tag({query->begin() + kTagQuery.size(), query->end()})
                               : std::nullopt;
        if (!asked) return {.code = coap::Code::BadRequest};
        tag = *asked;
    }
    SessionEntry* named = sessions_.find_tag(tag);
    if (named != nullptr && named->role != exchange.entry.role) {
        return {.code = coap::Code::NotFound};
    }
    const auto last = sessions_.last_result(named, tag);
    if (named == &exchange.entry) {  // [SES-45] whatever was sent before is late from now on
        named->window = oscore::ReplayWindow{exchange.entry.window.next()};
    } else if (named != nullptr) {
        observations_.remove_session(static_cast<std::uint8_t>(sessions_.index_of(*named)));
        sessions_.erase(*named);
    }
    if (!last) return {.code = coap::Code::NotFound};
    return describe_result(*last);
}

Server::Answer Server::describe_result(const SessionTable::LastExecuted& last) {
    LastResult result;
    if (last.end > 0) result.piv = oscore::Piv{last.end - 1};
    if (last.record) {
        result.code = static_cast<coap::Code>(last.record->code);
        if (last.record->has_payload) result.payload = last.record->payload.view();
    }
    const auto payload = encode_last_result(result, setup_.result);
    if (!payload) return {.code = coap::Code::InternalServerError};
    return {.code = coap::Code::Content,
            .content = Content{.format = Format::Cbor, .payload = *payload}};
}

}  // namespace sotto::session
