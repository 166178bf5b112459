// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/webhook_client.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "cloud/server/limits.hpp"
#include "cloud/server/stream.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr int kInterimMax = 8;  // answers 1xx; then it has failed

wire::verb verb_of(hooks::Method method) {
    constexpr wire::verb kVerbs[] = {
        wire::verb::get, wire::verb::post, wire::verb::put, wire::verb::delete_};
    return kVerbs[static_cast<std::size_t>(method)];
}

hooks::Failure no_way(const std::string& why) { return {.text = "cannot be called: " + why}; }

}  // namespace

// One request, from the look-up of its host to the answer. It owns itself by what it waits for.
class WebhookExchange : public std::enable_shared_from_this<WebhookExchange> {
  public:
    WebhookExchange(WebhookClient& client, hooks::Send send)
        : client_(client), send_(std::move(send)), timer_(client.loop_) {}

    void start() {
        timer_.expires_after(std::chrono::milliseconds{hooks::kResponseTimeMax.ms});
        timer_.async_wait([self = shared_from_this()](error_code error) {
            if (!error) self->answer(hooks::Failure{.text = "did not answer within 20 s"});
        });
        const std::string& host = send_.request.origin.host;
        error_code is_name;
        const auto address = asio::ip::make_address(host, is_name);
        if (!is_name) return on_found({address});
        client_.names_.find(
            send_.account, host, weak_from_this(), [this](const Addresses& addresses) {
                on_found(addresses);
            });
    }

  private:
    using Parser = wire::response_parser<wire::string_body>;

    void on_found(const Addresses& addresses) {
        if (is_over_) return;
        if (addresses.empty()) return answer(no_way("no such host is known"));
        for (const auto& address : addresses) {
            if (client_.setup_.networks.may_call(address)) addresses_.push_back(address);
        }
        if (addresses_.empty())
            return answer(hooks::Failure{
                .text = "is this machine or in a private network, and the operator has not allowed "
                        "webhooks to go there (webhook-allow)",
                .is_final = true});
        connect(0);
    }

    void connect(std::size_t place) {
        socket_.emplace(client_.loop_.get_executor());
        const asio::ip::tcp::endpoint endpoint{addresses_[place], send_.request.origin.port};
        socket_->async_connect(endpoint, [self = shared_from_this(), place](error_code error) {
            self->on_connected(error, place);
        });
    }

    void on_connected(error_code error, std::size_t place) {
        if (is_over_) return;
        if (error && place + 1 < addresses_.size()) return connect(place + 1);
        if (error) return answer(no_way(error.message()));
        Socket socket = std::move(*socket_);
        socket_.reset();
        if (!send_.request.origin.is_tls) {
            stream_.emplace(std::move(socket));
            return write();
        }
        const ports::TlsContext& context = client_.tls_context();
        if (!context) return answer(no_way("there is no TLS here"));
        stream_.emplace(std::move(socket),
                        *context,
                        ports::Trust{.is_anybody = !send_.request.has_checked_peer},
                        send_.request.origin.host);
        stream_->async_shake_hands([self = shared_from_this()](error_code failed, std::size_t) {
            if (self->is_over_) return;
            if (failed) return self->answer(no_way(self->stream_->complaint()));
            self->write();
        });
    }

    void write() {
        const hooks::WebRequest& wanted = send_.request;
        request_.method(verb_of(wanted.method));
        request_.target(wanted.target);
        request_.set(wire::field::host, wanted.origin.authority);
        for (const auto& [name, value] : wanted.headers) request_.set(name, value);
        request_.body() = wanted.body;
        request_.keep_alive(false);
        request_.prepare_payload();
        wire::async_write(
            *stream_, request_, [self = shared_from_this()](error_code error, std::size_t) {
                self->on_written(error);
            });
    }

    void on_written(error_code error) {
        if (is_over_) return;
        // Who answers before he has read it all has answered.
        if (!error) client_.tell_sent(send_.job);
        read_header();
    }

    void read_header() {
        parser_.emplace();
        parser_->header_limit(kWebhookHeaderSizeMax);
        parser_->body_limit(hooks::kResponseSizeMax);
        wire::async_read_header(
            *stream_, input_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
                self->on_header(error);
            });
    }

    void on_header(error_code error) {
        if (is_over_) return;
        if (error) return on_response(error);
        const bool is_interim = parser_->get().result_int() / 100 == 1;
        if (is_interim && ++interim_ <= kInterimMax) return read_header();
        wire::async_read(*stream_,
                         input_,
                         *parser_,
                         [self = shared_from_this()](error_code failed, std::size_t) {
                             self->on_response(failed);
                         });
    }

    void on_response(error_code error) {
        if (is_over_) return;
        if (error == wire::error::body_limit)
            return answer(
                hooks::Failure{.text = "answered with more than 100 KB", .is_final = true});
        if (error == wire::error::end_of_stream || error == wire::error::partial_message ||
            error == asio::error::eof || error == asio::error::connection_reset)
            return answer(hooks::Failure{.text = "hung up before it had answered"});
        if (error) return answer(hooks::Failure{.text = "answered with what is no HTTP"});
        const auto& response = parser_->get();
        const auto type = response[wire::field::content_type];
        answer(hooks::WebResponse{.status = response.result_int(),
                                  .type = std::string{type.data(), type.size()},
                                  .body = std::move(parser_->get().body())});
    }

    // The end of everything: sockets close, and whatever waits for them ends.
    void answer(hooks::Answer answer) {
        if (std::exchange(is_over_, true)) return;
        timer_.cancel();
        error_code ignored;
        if (socket_) socket_->close(ignored);
        if (stream_) stream_->close();
        client_.tell_answer(send_.job, std::move(answer));
    }

    WebhookClient& client_;
    hooks::Send send_;
    asio::steady_timer timer_;
    Addresses addresses_;
    std::optional<Socket> socket_;
    std::optional<Stream> stream_;
    wire::request<wire::string_body> request_{wire::verb::post, "/", 11};
    beast::flat_buffer input_{kWebhookHeaderSizeMax + hooks::kResponseSizeMax};
    std::optional<Parser> parser_;
    int interim_ = 0;
    bool is_over_ = false;
};

WebhookClient::WebhookClient(Setup setup)
    : setup_(std::move(setup)), names_(loop_, setup_.look_up), thread_([this] { loop_.run(); }) {}

WebhookClient::~WebhookClient() {
    loop_.stop();
    thread_.join();
}

void WebhookClient::send(hooks::Send send) {
    asio::post(loop_, [this, send = std::move(send)]() mutable {
        std::make_shared<WebhookExchange>(*this, std::move(send))->start();
    });
}

const ports::TlsContext& WebhookClient::tls_context() {
    if (!context_) {
        if (auto made = ports::make_client_context({}, ports::TlsVersion::Tls12))
            context_ = *std::move(made);
    }
    return context_;
}

void WebhookClient::tell_sent(hooks::JobId job) {
    setup_.post([this, job] { setup_.on_sent(job); });
}

void WebhookClient::tell_answer(hooks::JobId job, hooks::Answer answer) {
    setup_.post([this, job, answer = std::move(answer)] { setup_.on_answered(job, answer); });
}

}  // namespace sotto::cloud::server
