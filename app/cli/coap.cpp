// SPDX-License-Identifier: Apache-2.0
// `sotto coap`: the client of any CoAP server, by EDHOC or with an OSCORE context from a file.
#include <iomanip>
#include <iostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "app/cli/home.hpp"
#include "app/cli/job.hpp"
#include "app/cli/oscore_file.hpp"
#include "app/cli/stored_sequence.hpp"
#include "app/client/edhoc_client.hpp"
#include "app/transport/udp_transport.hpp"
#include "core/base/hex.hpp"
#include "ports/linux/system_clock.hpp"
#include "ports/openssl/key_file.hpp"

namespace sotto::app {
namespace {

constexpr std::size_t kFileSizeMax = 16'384;
constexpr std::uint16_t kText = 0;
constexpr std::uint16_t kCbor = 60;
constexpr Duration kNotificationWait = seconds(3'600);

std::string text_of(coap::Code code) {
    std::ostringstream text;
    text << int{coap::code_class(code)} << '.' << std::setw(2) << std::setfill('0')
         << int{coap::code_detail(code)};
    return text.str();
}

Outcome<std::vector<std::uint8_t>> read(const std::string& path) {
    auto content = ports::read_file(path, kFileSizeMax);
    if (!content) return Failure{Trouble::Usage, content.error().detail, "Check the path"};
    return *std::move(content);
}

Outcome<cose::Credential> read_credential(const std::string& path) {
    SOTTO_TRY_ASSIGN(const auto bytes, read(path));
    auto credential = cose::Credential::parse(bytes);
    if (!credential)
        return Failure{Trouble::Usage,
                       path + " holds no credential",
                       "It is an untagged CWT Claims Set with a P-256 key, in CBOR"};
    return *std::move(credential);
}

// Everything that a request runs on, in the order in which it is built.
struct Session {
    std::unique_ptr<UdpTransport> transport;
    std::unique_ptr<CoapExchange> exchange;
    oscore::Context context;
    std::optional<std::vector<std::uint8_t>> id_context;
    FreshSequenceNumbers fresh;
    std::optional<StoredSequenceNumbers> stored;

    OscoreClient client(Duration patience) {
        SequenceNumbers& numbers = stored ? static_cast<SequenceNumbers&>(*stored) : fresh;
        return OscoreClient{{*exchange, numbers, context, id_context, patience}};
    }
};

Outcome<> open_by_file(Session& session, const CoapCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const auto text, read(command.oscore_file));
    SOTTO_TRY_ASSIGN(OscoreFile file, parse_oscore_file(as_text(text)));
    const auto known = command.is_new_context ? StoredSequenceNumbers::Known::New
                                              : StoredSequenceNumbers::Known::Before;
    SOTTO_TRY_ASSIGN(
        session.stored,
        StoredSequenceNumbers::open(job.settings.state + "/oscore/" + file.name, known));
    session.context = std::move(file.context);
    session.id_context = std::move(file.id_context);
    return {};
}

// With a kid of its own a credential is named by it; a kid that we derive nobody else knows.
cose::CredentialForm form_of(const cose::Credential& credential) {
    const Bytes derived = Bytes{credential.hash()}.first(cose::kHashKidSize);
    return equal(credential.kid(), derived) ? cose::CredentialForm::Value
                                            : cose::CredentialForm::Kid;
}

Outcome<> open_by_edhoc(Session& session, const CoapCommand& command, const Job& job) {
    const auto key = ports::load_private_key(command.identity_file);
    if (!key)
        return Failure{Trouble::Usage,
                       command.identity_file + " cannot be used",
                       std::string{to_string(key.error())}};
    SOTTO_TRY_ASSIGN(const cose::Credential own, read_credential(command.credential_file));
    SOTTO_TRY_ASSIGN(const cose::Credential peer, read_credential(command.peer_file));
    if (crypto::dh_public(*key).x != own.public_key().x)
        return Failure{Trouble::Usage,
                       "the key of --identity is not the key of the credential in --cred",
                       "Name the two files that belong together"};
    SOTTO_TRY_ASSIGN(session.context,
                     shake_hands(*session.exchange,
                                 job.entropy,
                                 {.identity = {own, *key},
                                  .form = form_of(own),
                                  .peer = peer,
                                  .patience = job.settings.patience}));
    return {};
}

Outcome<CoapRequest> request_of(const CoapCommand& command, const CoapUrl& url) {
    CoapRequest request;
    request.code = command.method == CoapMethod::Post ? coap::Code::Post : coap::Code::Get;
    request.path = url.path;
    request.query = url.query;
    if (command.is_cbor) request.accept = kCbor;
    if (command.payload.empty()) return request;
    request.content_format = command.is_cbor ? kCbor : kText;
    request.payload.assign(command.payload.begin(), command.payload.end());
    if (!command.is_cbor) return request;
    const auto bytes = from_hex<std::vector<std::uint8_t>>(command.payload);
    if (!bytes)
        return Failure{Trouble::Usage, "the payload is no hex", "With --cbor it is hex of CBOR"};
    request.payload = *bytes;
    return request;
}

void print(const CoapReply& reply, const CoapCommand& command, const Job& job) {
    const std::string payload =
        command.is_cbor ? to_hex<std::string>(reply.payload) : std::string{as_text(reply.payload)};
    job.printer.note(text_of(reply.code));
    job.printer.result(payload, {{"code", text_of(reply.code)}, {"payload", payload}});
}

Outcome<> check(const CoapReply& reply) {
    if (coap::is_success(reply.code)) return {};
    return Failure{Trouble::Refused,
                   "the server answered " + text_of(reply.code),
                   "See RFC 7252, section 5.9, for what the code means"};
}

Outcome<> observe(OscoreClient& client,
                  const CoapRequest& request,
                  const CoapCommand& command,
                  const Job& job) {
    SOTTO_TRY_ASSIGN(const CoapReply first, client.observe(request));
    print(first, command, job);
    SOTTO_TRY(check(first));
    if (!first.is_observed)
        return Failure{Trouble::Refused,
                       "the server does not send notifications of this resource",
                       "Ask for it with sotto coap get"};
    for (std::uint32_t count = 1; !command.count || count < *command.count;) {
        SOTTO_TRY_ASSIGN(const std::optional<CoapReply> reply, client.next(kNotificationWait));
        if (!reply) continue;
        print(*reply, command, job);
        SOTTO_TRY(check(*reply));
        ++count;
    }
    return {};
}

}  // namespace

Outcome<> run(const CoapCommand& command, const Job& job) {
    if (command.oscore_file.empty() && command.identity_file.empty())
        return Failure{Trouble::Usage,
                       "nothing says how to protect the request",
                       "Give --identity, --cred and --peer for EDHOC, or --oscore"};
    SOTTO_TRY_ASSIGN(const CoapUrl url, parse_coap_url(command.url));
    SOTTO_TRY_ASSIGN(const CoapRequest request, request_of(command, url));
    Session session;
    SOTTO_TRY_ASSIGN(session.transport, UdpTransport::connect(url.endpoint));
    session.exchange =
        std::make_unique<CoapExchange>(*session.transport, job.entropy, ports::SystemClock::now);
    if (command.oscore_file.empty()) {
        SOTTO_TRY(open_by_edhoc(session, command, job));
    } else {
        SOTTO_TRY(open_by_file(session, command, job));
    }
    OscoreClient client = session.client(job.settings.patience);
    if (command.method == CoapMethod::Observe) return observe(client, request, command, job);
    SOTTO_TRY_ASSIGN(const CoapReply reply, client.request(request));
    print(reply, command, job);
    return check(reply);
}

}  // namespace sotto::app
