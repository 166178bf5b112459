// SPDX-License-Identifier: Apache-2.0
#include "app/transport/cloud_transport.hpp"

#include <deque>
#include <optional>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include "app/transport/cloud_stream.hpp"
#include "app/transport/run.hpp"
#include "core/base/hex.hpp"
#include "core/framing/channel.hpp"
#include "ports/tls/client_context.hpp"

namespace sotto::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
namespace channel = framing::channel;
using asio::awaitable;
using boost::system::error_code;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReplySizeMax = 65'536;
constexpr std::size_t kQueueMax = 16;
constexpr Duration kFarewell = milliseconds(500);

Failure unreachable(const CloudLogin& login, const std::string& why) {
    return {Trouble::Unreachable,
            "the cloud at " + login.url.to_string() + " cannot be reached: " + why,
            "Check that sotto-cloud runs there and that the address is right, or add --local to "
            "talk to a device nearby"};
}

Failure not_trusted(const CloudLogin& login, const ports::PeerCheck& check) {
    const std::string login_again = "sotto login " + login.url.to_string() + " --pin FINGERPRINT";
    const std::string compare =
        "On the cloud's machine, sotto-cloud certificate prints its fingerprint. ";
    const Failure failure{
        Trouble::Unreachable,
        "the cloud at " + login.url.to_string() + " did not prove who it is: " + check.complaint(),
        {}};
    switch (check.distrust()) {
        case ports::Distrust::OtherPin:
            return {failure.trouble,
                    failure.what,
                    compare + "If it is the one shown here, sign in again: " + login_again +
                        ". If not, somebody is between you and the cloud"};
        case ports::Distrust::UnknownAuthority:
        case ports::Distrust::OtherName:
            return {failure.trouble,
                    failure.what,
                    compare + "If it is the one shown here, it is your cloud: " + login_again};
        case ports::Distrust::Expired:
        case ports::Distrust::NotYetValid:
            return {
                failure.trouble,
                failure.what,
                "Check the clock here; and at the cloud, which renews only a certificate of its "
                "own authority by itself"};
        case ports::Distrust::Unfit:
        case ports::Distrust::None:
            break;
    }
    return {failure.trouble, failure.what, "Have the cloud's operator look at its certificate"};
}

Failure no_tls_there(const CloudLogin& login) {
    return {Trouble::Unreachable,
            "what answers at " + login.url.to_string() + " does not speak TLS",
            "Check the port; only a cloud on this machine may be an http:// address"};
}

Failure wants_tls(const CloudLogin& login) {
    return {
        Trouble::Unreachable,
        "the cloud at " + login.url.to_string() + " speaks TLS only",
        "Sign in at its https:// address: sotto login https://" + login.url.endpoint.to_string()};
}

// RFC 2817 §4.2: a port in TLS that was spoken to in the clear.
template <class Response>
bool is_wanting_tls(const Response& response) {
    return response.result() == http::status::upgrade_required &&
           response[http::field::upgrade].starts_with("TLS/");
}

Failure not_signed_in(const CloudLogin& login) {
    return {Trouble::SignIn,
            "the cloud at " + login.url.to_string() + " does not take this token",
            "Sign in again: sotto login " + login.url.to_string()};
}

Failure not_spoken(const CloudLogin& login, unsigned status) {
    return {Trouble::Unreachable,
            "what answers at " + login.url.to_string() + " is no Sotto cloud (HTTP status " +
                std::to_string(status) + ")",
            "Check the address"};
}

// [TLS-2] Tokens never cross a clear link.
Outcome<> check_clear(const CloudLogin& login, bool is_on_this_machine) {
    if (login.url.is_tls || login.allow_clear || is_on_this_machine) return {};
    return Failure{Trouble::Usage,
                   "the token would cross the network readable for everybody",
                   "Use https://, or --insecure if that network is yours alone"};
}

Outcome<> check_clear(const CloudLogin& login) {
    return check_clear(login, login.url.endpoint.is_loopback());
}

// What a connection to a cloud needs beside its stream, and what must outlive that.
class Tls {
  public:
    explicit Tls(const CloudLogin& login)
        : trust_{.pin = login.pin}, check_(trust_, login.url.endpoint.host) {}

    ports::PeerCheck& check() { return check_; }
    // Made when it is needed: reading the system's authorities takes time.
    asio::ssl::context& context() {
        if (!context_) {
            auto made = ports::make_client_context(trust_, ports::TlsVersion::Tls12);
            SOTTO_ASSERT(made);  // nothing in it was given by somebody
            context_.emplace(made->release());
        }
        return *context_;
    }

  private:
    ports::Trust trust_;
    ports::PeerCheck check_;
    std::optional<asio::ssl::context> context_;
};

awaitable<Outcome<>> connect_to(CloudStream& stream, Tls& tls, const CloudLogin& login) {
    using Resolver = asio::ip::basic_resolver<asio::ip::tcp, asio::io_context::executor_type>;
    Resolver resolver{stream.get_executor()};
    const Endpoint& endpoint = login.url.endpoint;
    const auto [no_name, found] =
        co_await resolver.async_resolve(endpoint.host, endpoint.port, kToken);
    if (no_name) co_return unreachable(login, no_name.message());
    const auto [no_way, reached] = co_await asio::async_connect(stream.socket(), found, kToken);
    if (no_way) co_return unreachable(login, no_way.message());
    error_code ignored;
    stream.socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
    // Whatever a name server makes of "localhost".
    const auto there = stream.socket().remote_endpoint(ignored);
    if (!login.url.is_tls) co_return check_clear(login, there.address().is_loopback());
    const auto [no_tls] = co_await stream.async_start_tls(tls.context(), tls.check(), kToken);
    if (!no_tls) co_return Outcome<>{};
    if (tls.check().distrust() != ports::Distrust::None) co_return not_trusted(login, tls.check());
    if (no_tls.category() == asio::error::get_ssl_category() &&
        ports::is_clear_text(static_cast<unsigned>(no_tls.value())))
        co_return no_tls_there(login);
    co_return unreachable(login, no_tls.message());
}

template <class Request>
void set_fields(Request& request, const CloudLogin& login) {
    request.set(http::field::host, login.url.endpoint.to_string());
    request.set(http::field::user_agent, "sotto");
    request.set(http::field::authorization, "Bearer " + login.token);
}

awaitable<Outcome<HttpReply>> exchange(CloudStream& stream,
                                       Tls& tls,
                                       const CloudLogin& login,
                                       http::request<http::string_body>& request) {
    if (const auto connected = co_await connect_to(stream, tls, login); !connected)
        co_return connected.error();
    const auto [not_sent, sent] = co_await http::async_write(stream, request, kToken);
    if (not_sent) co_return unreachable(login, not_sent.message());
    beast::flat_buffer buffer{kReplySizeMax};
    http::response_parser<http::string_body> parser;
    parser.body_limit(kReplySizeMax);
    const auto [not_read, read] = co_await http::async_read(stream, buffer, parser, kToken);
    if (not_read) co_return unreachable(login, not_read.message());
    const auto& reply = parser.get();
    if (is_wanting_tls(reply)) co_return wants_tls(login);
    if (reply.result() == http::status::unauthorized) co_return not_signed_in(login);
    co_return HttpReply{reply.result_int(), reply.body()};
}

// Runs a job to its end, or to the end of the time for it.
template <class T>
Outcome<T> run(asio::io_context& loop,
               const CloudLogin& login,
               Duration limit,
               awaitable<Outcome<T>> job) {
    std::optional<Outcome<T>> result;
    asio::co_spawn(
        loop,
        [&result, job = std::move(job)]() mutable -> awaitable<void> {
            result = co_await std::move(job);
        },
        asio::detached);
    if (run_until(loop, limit, [&result] { return result.has_value(); })) return *std::move(result);
    return unreachable(login, "no answer in time");
}

Failure not_passed_on(channel::OutcomeCode code) {
    switch (code) {
        case channel::OutcomeCode::NotConnected:
            return {Trouble::Away,
                    "the device is not connected to the cloud",
                    "Check that it is switched on and that a gateway is near it"};
        case channel::OutcomeCode::NotPermitted:
            return {Trouble::Refused,
                    "the cloud does not let this account talk to the device",
                    "Pair with it first, or sign in with the account that it belongs to"};
        case channel::OutcomeCode::RateLimited:
            return {Trouble::Refused,
                    "the cloud passes on no more messages to this device for now",
                    "Try again in a few seconds"};
        case channel::OutcomeCode::MailboxFull:
            return {Trouble::Refused,
                    "the device's mailbox is full",
                    "Wait until the device has taken its messages, then try again"};
        case channel::OutcomeCode::TooLarge:
            return {Trouble::Refused, "the message is too large", "Send less at once"};
        case channel::OutcomeCode::HandedOn:
        case channel::OutcomeCode::Stored:
            break;
    }
    return {Trouble::Unreachable, "the cloud reports what it should not", "Update this program"};
}

}  // namespace

namespace {

http::verb to_verb(HttpMethod method) {
    switch (method) {
        case HttpMethod::Get:
            return http::verb::get;
        case HttpMethod::Post:
            return http::verb::post;
        case HttpMethod::Put:
            return http::verb::put;
        case HttpMethod::Delete:
            break;
    }
    return http::verb::delete_;
}

}  // namespace

Outcome<HttpReply> http_request(const CloudLogin& login,
                                HttpMethod method,
                                const std::string& target,
                                Duration limit,
                                const std::string& body) {
    SOTTO_TRY(check_clear(login));
    http::request<http::string_body> request{to_verb(method), target, 11, body};
    set_fields(request, login);
    if (!body.empty()) request.set(http::field::content_type, "application/json");
    request.keep_alive(false);
    request.prepare_payload();
    Tls tls{login};
    asio::io_context loop{1};
    CloudStream stream{loop};
    return run<HttpReply>(loop, login, limit, exchange(stream, tls, login, request));
}

// One WebSocket and the loop that it lives on.
class CloudTransport::Channel {
  public:
    Channel(const CloudLogin& login, const framing::DeviceId& device_id, bool keeps_mail)
        : login_(login), device_id_(device_id), tls_(login), keeps_mail_(keeps_mail) {}

    Outcome<> open(const AppId& app_id, Duration limit) {
        SOTTO_TRY(run<void>(loop_, login_, limit, shake_hands(app_id)));
        read();
        return {};
    }

    Status send(Bytes message) {
        return write(channel::Send{.reference = channel::Reference{next_reference_++},
                                   .device_id = device_id_,
                                   .message = message});
    }

    Outcome<> store(const Letter& letter, Duration limit) {
        outcome_.reset();
        const channel::Reference reference{letter.reference};
        const Status written = write(channel::Send{.reference = reference,
                                                   .device_id = device_id_,
                                                   .lifetime_s = letter.lifetime_s,
                                                   .message = letter.message});
        if (!written && lost_) return *lost_;
        letter_ = reference;
        const bool has_ended =
            written && run_until(loop_, limit, [this] { return outcome_ || lost_; });
        letter_.reset();
        if (outcome_ == channel::OutcomeCode::Stored) return {};
        if (outcome_) return not_passed_on(*outcome_);
        if (has_ended) return *lost_;
        return unreachable(login_, "it does not say whether it keeps the command");
    }

    Outcome<std::optional<Mail>> next_mail(Duration limit) {
        const auto is_done = [this] { return !mail_.empty() || is_caught_up_ || lost_; };
        if (!run_until(loop_, limit, is_done)) return unreachable(login_, "no answer in time");
        if (!mail_.empty()) {
            Mail first = std::move(mail_.front());
            mail_.pop_front();
            last_sequence_ = channel::Sequence{first.sequence};
            return std::optional{std::move(first)};
        }
        if (is_caught_up_) return std::optional<Mail>{};
        return *lost_;
    }

    void acknowledge() {
        if (last_sequence_.value() == 0) return;
        static_cast<void>(write(channel::Ack{last_sequence_}));  // lost, it is delivered again
        last_sequence_ = {};
    }

    Arrival wait(Duration limit) {
        const auto is_done = [this] { return !arrivals_.empty() || lost_.has_value(); };
        if (!run_until(loop_, limit, is_done)) return TimedOut{};
        if (arrivals_.empty()) return Lost{*lost_};
        current_ = std::move(arrivals_.front());
        arrivals_.pop_front();
        if (const auto* failure = std::get_if<Failure>(&current_)) return NotPassedOn{*failure};
        const auto& delivery = std::get<Delivery>(current_);
        last_sequence_ = delivery.sequence;
        return Received{delivery.message};
    }

    // Lets what is queued leave, then says good-bye; neither for long.
    void close() {
        run_until(loop_, kFarewell, [this] { return queue_.empty() || lost_.has_value(); });
        if (lost_) return;
        bool is_closed = false;
        socket_.async_close(websocket::close_code::going_away,
                            [&is_closed](error_code /*ignored*/) { is_closed = true; });
        run_until(loop_, kFarewell, [&is_closed] { return is_closed; });
    }

  private:
    struct Delivery {
        channel::Sequence sequence;
        std::vector<std::uint8_t> message;
    };

    awaitable<Outcome<>> shake_hands(AppId app_id) {
        if (const auto connected = co_await connect_to(socket_.next_layer(), tls_, login_);
            !connected)
            co_return connected.error();
        socket_.set_option(websocket::stream_base::decorator(
            [this](websocket::request_type& request) { set_fields(request, login_); }));
        // A cloud that is silent is asked, so that a long watch notices its end.
        socket_.set_option(
            websocket::stream_base::timeout{.handshake_timeout = std::chrono::seconds{30},
                                            .idle_timeout = std::chrono::seconds{40},
                                            .keep_alive_pings = true});
        socket_.read_message_max(framing::kChannelRecordSizeMax);
        socket_.binary(true);
        websocket::response_type response;
        const auto [error] =
            co_await socket_.async_handshake(response,
                                             login_.url.endpoint.to_string(),
                                             "/sotto/v1/channel?app=" + to_hex<std::string>(app_id),
                                             kToken);
        if (!error) co_return Outcome<>{};
        if (error != websocket::error::upgrade_declined)
            co_return unreachable(login_, error.message());
        if (response.result() == http::status::unauthorized) co_return not_signed_in(login_);
        if (is_wanting_tls(response)) co_return wants_tls(login_);
        co_return not_spoken(login_, response.result_int());
    }

    Status write(const channel::Record& record) {
        if (lost_) return Error::WrongState;
        if (queue_.size() >= kQueueMax) return Error::Busy;
        std::array<std::uint8_t, framing::kChannelRecordSizeMax> out{};
        SOTTO_TRY_ASSIGN(const Bytes bytes, channel::encode_record(out, record));
        queue_.emplace_back(bytes.begin(), bytes.end());
        if (queue_.size() == 1) write_next();
        return {};
    }

    void write_next() {
        socket_.async_write(asio::buffer(queue_.front()),
                            [this](error_code error, std::size_t /*size*/) {
                                if (error) return lose(error.message());
                                queue_.pop_front();
                                if (!queue_.empty()) write_next();
                            });
    }

    void read() {
        socket_.async_read(input_, [this](error_code error, std::size_t /*size*/) {
            if (error) return lose(error.message());
            const auto data = input_.cdata();
            const auto record = channel::parse_record(
                {static_cast<const std::uint8_t*>(data.data()), data.size()}, channel::Side::Cloud);
            if (!record || !socket_.got_binary()) return lose("it sends what nobody understands");
            take(*record);
            input_.consume(input_.size());
            read();
        });
    }

    void take(const channel::Record& record) {
        if (const auto* delivery = std::get_if<channel::Deliver>(&record)) {
            if (delivery->device_id != device_id_) return;  // of another session of the app
            if (keeps_mail_) {
                mail_.push_back({.sequence = delivery->sequence.value(),
                                 .message = {delivery->message.begin(), delivery->message.end()}});
                if (delivery->sequence.value() != 0) return;  // a live one may be of a job
            }
            arrivals_.push_back(
                Delivery{delivery->sequence, {delivery->message.begin(), delivery->message.end()}});
        }
        if (const auto* notice = std::get_if<channel::Notice>(&record); notice && keeps_mail_) {
            mail_.push_back({.sequence = notice->sequence.value(),
                             .fate = notice->fate,
                             .reference = notice->reference.value()});
        }
        if (std::holds_alternative<channel::CaughtUp>(record)) is_caught_up_ = true;
        if (const auto* outcome = std::get_if<channel::Outcome>(&record)) {
            if (letter_ == outcome->reference) {
                outcome_ = outcome->code;
                return;
            }
            if (outcome->code == channel::OutcomeCode::HandedOn) return;
            if (outcome->code == channel::OutcomeCode::Stored) return;
            arrivals_.push_back(not_passed_on(outcome->code));
        }
        if (arrivals_.size() > kQueueMax) arrivals_.pop_front();  // as a network would lose it
    }

    void lose(const std::string& why) {
        if (!lost_) lost_ = unreachable(login_, why);
    }

    const CloudLogin login_;
    const framing::DeviceId device_id_;
    Tls tls_;
    asio::io_context loop_{1};
    websocket::stream<CloudStream> socket_{loop_};
    beast::flat_buffer input_;
    std::deque<std::vector<std::uint8_t>> queue_;
    std::deque<std::variant<Delivery, Failure>> arrivals_;
    std::variant<Delivery, Failure> current_;
    channel::Sequence last_sequence_;
    std::uint32_t next_reference_ = 0x8000'0000;  // those below are of letters
    const bool keeps_mail_;
    bool is_caught_up_ = false;
    std::deque<Mail> mail_;
    std::optional<channel::Reference> letter_;  // under way
    std::optional<channel::OutcomeCode> outcome_;
    std::optional<Failure> lost_;
};

CloudTransport::CloudTransport(const CloudLogin& login,
                               const AppId& app_id,
                               const framing::DeviceId& device_id,
                               Purpose purpose)
    : login_(login),
      app_id_(app_id),
      device_id_(device_id),
      purpose_(purpose),
      channel_(std::make_unique<Channel>(login, device_id, purpose == Purpose::Mail)) {}

CloudTransport::~CloudTransport() { channel_->close(); }

Outcome<std::unique_ptr<CloudTransport>> CloudTransport::connect(const CloudLogin& login,
                                                                 const AppId& app_id,
                                                                 const framing::DeviceId& device_id,
                                                                 Duration limit,
                                                                 Purpose purpose) {
    SOTTO_TRY(check_clear(login));
    std::unique_ptr<CloudTransport> transport{
        new CloudTransport{login, app_id, device_id, purpose}};
    SOTTO_TRY(transport->channel_->open(app_id, limit));
    return transport;
}

Status CloudTransport::reopen(Duration limit) {
    auto channel = std::make_unique<Channel>(login_, device_id_, purpose_ == Purpose::Mail);
    if (!channel->open(app_id_, limit)) return Error::Timeout;
    channel_ = std::move(channel);
    return {};
}

Status CloudTransport::send(Bytes message) { return channel_->send(message); }
Arrival CloudTransport::wait(Duration limit) { return channel_->wait(limit); }
void CloudTransport::acknowledge() { channel_->acknowledge(); }
Outcome<> CloudTransport::store(const Letter& letter, Duration limit) {
    return channel_->store(letter, limit);
}
Outcome<std::optional<Mail>> CloudTransport::next_mail(Duration limit) {
    return channel_->next_mail(limit);
}

}  // namespace sotto::app
