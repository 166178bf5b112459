// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/http_connection.hpp"

#include <utility>

#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "cloud/http/rest_replies.hpp"
#include "cloud/server/app_channel.hpp"

namespace sotto::cloud::server {

namespace beast = boost::beast;
namespace wire = boost::beast::http;
using boost::system::error_code;
using http::Answer;
using http::Method;
using http::OpenChannel;
using http::Problem;
using http::Reply;
using http::Request;
using http::to_reply;

namespace {

Method method_of(wire::verb verb) {
    if (verb == wire::verb::get) return Method::Get;
    if (verb == wire::verb::post) return Method::Post;
    if (verb == wire::verb::put) return Method::Put;
    if (verb == wire::verb::delete_) return Method::Delete;
    if (verb == wire::verb::patch) return Method::Patch;
    return verb == wire::verb::options ? Method::Options : Method::Other;
}

// Without its body.
Request head_of(const HttpRequest& request, const Socket& socket) {
    const auto text_of = [](const auto& view) { return std::string{view.data(), view.size()}; };
    error_code ignored;
    return {.method = method_of(request.method()),
            .target = text_of(request.target()),
            .authorization = text_of(request[wire::field::authorization]),
            .is_upgrade = beast::websocket::is_upgrade(request),
            .content_type = text_of(request[wire::field::content_type]),
            .last_event_id = text_of(request["Last-Event-ID"]),
            .address = socket.remote_endpoint(ignored).address().to_string(),
            .is_of_hook = request.find(hooks::kMark) != request.end()};
}

// What a broken request is answered; nothing if nobody listens any more.
std::optional<Problem> problem_of(error_code error) {
    if (error == wire::error::body_limit) return Problem::TooLarge;
    if (error == wire::error::header_limit || error == wire::error::buffer_overflow)
        return Problem::HeaderTooLarge;
    const bool is_end =
        error == wire::error::end_of_stream || error == wire::error::partial_message;
    const bool is_grammar =
        error.category() == wire::make_error_code(wire::error::bad_value).category();
    if (is_grammar && !is_end) return Problem::Malformed;
    return std::nullopt;
}

}  // namespace

void HttpConnection::start() {
    place_ = services_.connections.insert(services_.connections.end(), this);
    if (!stream_.is_tls()) return read_request(kRequestTimeMax);
    stream_.expires_after(kTlsTimeMax);
    stream_.async_shake_hands([self = shared_from_this()](error_code error, std::size_t /*size*/) {
        self->on_shaken_hands(error);
    });
}

void HttpConnection::on_shaken_hands(error_code error) {
    if (!place_) return;
    if (!error) return read_request(kRequestTimeMax);
    if (!stream_.was_spoken_to_clear()) return leave();
    stream_.speak_clear();  // [TLS-4]
    parser_.emplace();
    write(to_reply(Problem::WantsTls), false);
}

void HttpConnection::read_request(std::chrono::seconds limit) {
    parser_.emplace();
    parser_->header_limit(kHeaderSizeMax);
    parser_->body_limit(kUploadSizeMax);
    stream_.expires_after(limit);
    wire::async_read_header(stream_,
                            input_,
                            *parser_,
                            [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                                self->on_header(error);
                            });
}

void HttpConnection::on_header(error_code error) {
    if (!place_ || error || parser_->is_done()) return on_request(error);
    const wire::verb method = parser_->get().method();
    if (services_.rest != nullptr && (method == wire::verb::put || method == wire::verb::post) &&
        http::Rest::is_upload(head_of(parser_->get(), stream_.socket())))
        return begin_upload();
    if (parser_->content_length().value_or(0) > kBodySizeMax)
        return on_request(wire::error::body_limit);
    parser_->body_limit(kBodySizeMax);
    // Most bodies have come with their header.
    parser_->eager(true);
    input_.consume(parser_->put(input_.data(), error));
    if (error == wire::error::need_more) error = {};
    if (error || parser_->is_done()) return on_request(error);
    read_body();
}

void HttpConnection::read_body() {
    wire::async_read(stream_,
                     input_,
                     *parser_,
                     [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                         self->on_request(error);
                     });
}

// Nobody sends much before it is known who he is.
void HttpConnection::begin_upload() {
    stream_.expires_never();  // the store always answers
    services_.rest->begin_upload(
        head_of(parser_->get(), stream_.socket()),
        [self = shared_from_this()](auto account) { self->on_upload_allowed(std::move(account)); });
}

void HttpConnection::on_upload_allowed(Result<model::AccountId, Reply> account) {
    if (!place_) {
        if (account) services_.rest->end_upload(*account);
        return;
    }
    if (!account) return write(std::move(account.error()), false);
    upload_ = *account;
    stream_.expires_after(kUploadTimeMax);
    const auto expected = parser_->get()[wire::field::expect];
    if (!beast::iequals(expected, "100-continue")) return read_body();
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    boost::asio::async_write(stream_,
                             boost::asio::buffer(kContinue),
                             [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                                 return error ? self->on_request(error) : self->read_body();
                             });
}

void HttpConnection::end_upload() {
    if (upload_) services_.rest->end_upload(*std::exchange(upload_, std::nullopt));
}

void HttpConnection::on_request(error_code error) {
    const bool is_upload = upload_.has_value();
    end_upload();
    if (!place_) return;
    if (error) {
        if (is_upload && error == wire::error::partial_message)
            return write(http::upload_stopped(), false);
        const auto problem = problem_of(error);
        return problem ? write(to_reply(*problem), false) : leave();
    }
    HttpConnections& connections = services_.connections;
    connections.splice(connections.end(), connections, *place_);
    stream_.expires_never();  // the store always answers
    Request request = head_of(parser_->get(), stream_.socket());
    request.body = std::move(parser_->get().body());
    services_.api.handle(request, [self = shared_from_this()](Answer answer) {
        self->on_answer(std::move(answer));
    });
}

void HttpConnection::on_answer(Answer answer) {
    if (!place_) return;
    if (const auto* open = std::get_if<OpenChannel>(&answer)) return open_channel(open->app);
    if (auto* open = std::get_if<http::OpenStream>(&answer)) return open_stream(std::move(*open));
    write(std::get<Reply>(std::move(answer)), parser_->get().keep_alive());
}

void HttpConnection::open_channel(const model::AppAddress& app) {
    const auto channel = std::make_shared<AppChannel>(services_.hub);
    if (!services_.hub.connect_app(*channel, app)) return write(to_reply(Problem::Busy), false);
    services_.connections.erase(*std::exchange(place_, std::nullopt));
    channel->start(std::move(stream_), parser_->get());
}

void HttpConnection::open_stream(http::OpenStream opened) {
    if (services_.streams.size() >= kStreamsMax) return write(to_reply(Problem::Busy), false);
    if (!services_.rest->begin_stream(opened.filter.owner))
        return write(http::too_many_streams(), false);
    services_.connections.erase(*std::exchange(place_, std::nullopt));
    const EventStream::Services services{
        .ring = *services_.ring, .rest = *services_.rest, .streams = services_.streams};
    std::make_shared<EventStream>(std::move(stream_), std::move(opened), services)->start();
}

void HttpConnection::write(Reply reply, bool keep_alive) {
    const unsigned version = parser_->is_header_done() ? parser_->get().version() : 11;
    Response& response = response_.emplace(static_cast<wire::status>(reply.status), version);
    if (!reply.body.empty()) response.set(wire::field::content_type, reply.type);
    for (const auto& [name, value] : reply.headers) response.set(name, value);
    response.set(wire::field::cache_control, "no-store");
    if (!reply.allow.empty()) response.set(wire::field::allow, reply.allow);
    if (reply.status == 401) response.set(wire::field::www_authenticate, "Bearer");
    if (!reply.upgrade.empty()) response.set(wire::field::upgrade, reply.upgrade);
    if (reply.status == 429 || reply.status == 503) response.set(wire::field::retry_after, "5");
    response.keep_alive(keep_alive);
    response.body() = std::move(reply.body);
    response.prepare_payload();
    // RFC 9110 §9.3.2: the server MUST NOT send content in the response to a HEAD.
    if (parser_->is_header_done() && parser_->get().method() == wire::verb::head)
        response.body().clear();
    stream_.expires_after(kReplyTimeMax);
    wire::async_write(
        stream_, response, [self = shared_from_this()](error_code error, std::size_t /*size*/) {
            self->on_written(error);
        });
}

void HttpConnection::on_written(error_code error) {
    if (error) return leave();
    if (response_->keep_alive()) return read_request(kIdleTimeMax);
    // What still comes is read and thrown away: an early end would tear the reply out of the
    // reader's hands (RFC 9112 §9.6).
    stream_.end_output();
    stream_.expires_after(kDrainTimeMax);
    input_.clear();
    drain();
}

void HttpConnection::drain() {
    stream_.async_read_some(input_.prepare(kBufferSizeMax),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                                self->on_drained(error, size);
                            });
}

void HttpConnection::on_drained(error_code error, std::size_t size) {
    drained_ += size;
    if (error || drained_ > kDrainSizeMax) return leave();
    drain();
}

void HttpConnection::leave() {
    if (!place_) return;
    services_.connections.erase(*std::exchange(place_, std::nullopt));
    stream_.close();
}

}  // namespace sotto::cloud::server
