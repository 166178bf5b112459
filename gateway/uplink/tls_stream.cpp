// SPDX-License-Identifier: Apache-2.0
// TLS 1.3 by OpenSSL, on the socket itself.
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "gateway/uplink/security.hpp"
#include "ports/tls/connection.hpp"

namespace sotto::gateway::uplink {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

class TlsStream final : public Stream, public std::enable_shared_from_this<TlsStream> {
  public:
    TlsStream(asio::io_context& loop, const ports::Trust& trust, std::shared_ptr<SSL_CTX> context)
        : trust_(trust), context_(std::move(context)), resolver_(loop), socket_(loop) {}

    void connect(const Address& address, ConnectDone done) override {
        host_ = address.host;
        resolver_.async_resolve(address.host,
                                address.port,
                                [self = shared_from_this(), done = std::move(done)](
                                    error_code error, const tcp::resolver::results_type& found) {
                                    if (error) return done(error.message());
                                    self->connect_to(found, done);
                                });
    }

    void read_some(MutBytes buffer, ReadDone done) override {
        const Step step = is_up() ? tls_->read(buffer) : Step{State::Ended};
        if (step.state == State::WantRead || step.state == State::WantWrite)
            return wait(step, [self = shared_from_this(), buffer, done = std::move(done)] {
                self->read_some(buffer, done);
            });
        complete(
            [step, done = std::move(done), error = error_of(step)] { done(error, step.size); });
    }

    void write(Bytes bytes, WriteDone done) override {
        const Step step = is_up() ? tls_->write(bytes) : Step{State::Ended};
        const Bytes rest = step.state == State::Done ? bytes.subspan(step.size) : bytes;
        const auto go_on = [self = shared_from_this(), rest, done] { self->write(rest, done); };
        if (step.state == State::WantRead || step.state == State::WantWrite)
            return wait(step, go_on);
        if (step.state == State::Done && !rest.empty()) return complete(go_on);
        complete([done = std::move(done), error = error_of(step)] { done(error); });
    }

    void close() override {
        error_code ignored;
        if (is_up()) tls_->say_goodbye();
        closed_ = true;
        resolver_.cancel();
        socket_.close(ignored);
    }

  private:
    using Step = ports::TlsConnection::Step;
    using State = ports::TlsConnection::State;

    bool is_up() const { return tls_.has_value() && !closed_; }

    void connect_to(const tcp::resolver::results_type& found, const ConnectDone& done) {
        if (closed_) return done("closed");
        asio::async_connect(
            socket_,
            found,
            [self = shared_from_this(), done](error_code error, const tcp::endpoint&) {
                if (!error) self->socket_.set_option(tcp::no_delay{true}, error);
                if (!error) self->socket_.native_non_blocking(true, error);
                if (error) return done(error.message());
                self->begin(done);
            });
    }

    void begin(const ConnectDone& done) {
        tls_.emplace(*context_, socket_.native_handle(), trust_, host_);
        shake_hands(done);
    }

    void shake_hands(const ConnectDone& done) {
        const Step step = is_up() ? tls_->shake_hands() : Step{State::Ended};
        if (step.state == State::WantRead || step.state == State::WantWrite)
            return wait(step, [self = shared_from_this(), done] { self->shake_hands(done); });
        done(step.state == State::Done ? std::string{} : why_not());
    }

    std::string why_not() const {
        return tls_->complaint().empty() ? "it has closed the connection" : tls_->complaint();
    }
    std::string error_of(const Step& step) const {
        if (step.state == State::Done) return {};
        return tls_ && step.state == State::Failed ? why_not() : "it has closed the connection";
    }

    template <class Function>
    void wait(const Step& step, Function go_on) {
        const auto what =
            step.state == State::WantRead ? tcp::socket::wait_read : tcp::socket::wait_write;
        // After a close the next try ends by itself.
        socket_.async_wait(what, [go_on = std::move(go_on)](error_code /*ignored*/) { go_on(); });
    }
    // Never from within a call of ours.
    template <class Function>
    void complete(Function done) {
        asio::post(socket_.get_executor(), std::move(done));
    }

    ports::Trust trust_;
    std::shared_ptr<SSL_CTX> context_;
    std::string host_;
    bool closed_ = false;
    tcp::resolver resolver_;
    tcp::socket socket_;
    std::optional<ports::TlsConnection> tls_;
};

bool is_loopback(const std::string& host) {
    if (host == "localhost") return true;
    error_code no_address;
    const auto address = asio::ip::make_address(host, no_address);
    return !no_address && address.is_loopback();
}

}  // namespace

Result<Security, std::string> Security::parse(const Wish& wish) {
    Security security;
    if (!wish.pin.empty()) {
        const auto pin = ports::parse_fingerprint(wish.pin);
        if (!pin) return std::string{"it must be the 64 hex digits that sotto-cloud prints"};
        security.trust_.pin = *pin;
    }
    security.trust_.authorities = wish.authorities;
    // [TLS-13]
    const bool is_told = !wish.pin.empty() || !wish.authorities.empty();
    security.is_clear_ = !is_told && (wish.allow_clear || is_loopback(wish.host));
    security.allow_clear_ = wish.allow_clear;
    if (security.is_clear_) return security;
    auto context = ports::make_client_context(security.trust_, ports::TlsVersion::Tls13);
    if (!context) return context.error().text;
    security.context_ = *std::move(context);
    return security;
}

std::shared_ptr<Stream> Security::make_stream(asio::io_context& loop) const {
    if (is_clear_) return make_plain_stream(loop, allow_clear_);
    return std::make_shared<TlsStream>(loop, trust_, context_);
}

}  // namespace sotto::gateway::uplink
