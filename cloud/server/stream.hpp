// SPDX-License-Identifier: Apache-2.0
// The one executor and the one stream type of the cloud's sockets, in the clear or in TLS, so that
// Beast's templates are compiled once. Allocates; never blocks. OpenSSL works on the socket itself,
// without buffers between: what it keeps for an idle connection is small.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>

#include "ports/tls/connection.hpp"

namespace sotto::cloud::server {

using Executor = boost::asio::io_context::executor_type;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

class Stream {
  public:
    using executor_type = Executor;

    // In the clear.
    explicit Stream(Socket socket);
    // In TLS, after async_shake_hands(). The context is kept.
    Stream(Socket socket, SSL_CTX& context, ports::TlsVersion least);

    executor_type get_executor() { return core_->socket.get_executor(); }
    Socket& socket() { return core_->socket; }
    bool is_tls() const { return core_->tls.has_value(); }

    // A client's, of a socket that is connected to this host.
    Stream(Socket socket, SSL_CTX& context, const ports::Trust& trust, const std::string& host);

    // After this time the socket is closed, and whatever waits for it ends.
    void expires_after(std::chrono::seconds limit);
    void expires_never();
    void close();
    // Nothing follows from here.
    void end_output();

    // Precondition: is_tls().
    template <class Token>
    auto async_shake_hands(Token&& token) {
        return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
            Operation{core_, [core = core_.get()] { return shake_hands(*core); }}, token, *this);
    }
    // Why it failed, in words.
    std::string complaint() const { return core_->tls ? core_->tls->complaint() : std::string{}; }
    // Whether the handshake failed because there was no TLS in what came. Its sender understands an
    // answer in the clear only: speak_clear() lets it be given.
    bool was_spoken_to_clear() const { return core_->was_clear; }
    void speak_clear() { core_->tls.reset(); }

    // What the socket takes at once, in the clear; nothing if the connection is broken.
    // Precondition: no write is under way.
    std::optional<std::size_t> write_now(Bytes bytes);

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        if (!core_->tls) return core_->socket.async_read_some(buffers, std::forward<Token>(token));
        const boost::asio::mutable_buffer first = first_of(buffers);
        return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
            Operation{core_, [core = core_.get(), first] { return read(*core, first); }},
            token,
            *this);
    }
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        if (!core_->tls) return core_->socket.async_write_some(buffers, std::forward<Token>(token));
        return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
            Operation{core_,
                      [core = core_.get(), buffers] {
                          // Head and payload leave in one record. A repeated write gathers the
                          // same.
                          std::array<std::uint8_t, kRecordSize> record;
                          const std::size_t size =
                              boost::asio::buffer_copy(boost::asio::buffer(record), buffers);
                          return write(*core, Bytes{record}.first(size));
                      }},
            token,
            *this);
    }

  private:
    static constexpr std::size_t kRecordSize = 16'384;  // RFC 8446 §5.1

    using Step = ports::TlsConnection::Step;
    using State = ports::TlsConnection::State;
    using Timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>,
                                          Executor>;

    struct Core {
        explicit Core(Socket given) : socket(std::move(given)), timer(socket.get_executor()) {}
        Socket socket;
        Timer timer;
        std::optional<ports::TlsConnection> tls;
        bool has_begun = false;  // the handshake
        bool was_clear = false;
    };

    // Tries, and waits for the socket in between. Never completes within the call that began it.
    template <class Attempt>
    struct Operation {
        Operation(std::shared_ptr<Core> given, Attempt wanted)
            : core(std::move(given)), attempt(std::move(wanted)) {}

        template <class Self>
        void operator()(Self& self, boost::system::error_code error = {}) {
            if (!step) {
                if (!error && !core->socket.is_open())
                    error = boost::asio::error::operation_aborted;
                const Step tried = error ? Step{State::Failed} : attempt();
                if (tried.state == State::WantRead) return wait(self, Socket::wait_read);
                if (tried.state == State::WantWrite) return wait(self, Socket::wait_write);
                step = tried;
                failure = error;
                if (!has_waited)
                    return boost::asio::post(core->socket.get_executor(), std::move(self));
            }
            self.complete(failure ? failure : error_of(step->state), step->size);
        }
        template <class Self>
        void wait(Self& self, Socket::wait_type what) {
            has_waited = true;
            Socket& socket = core->socket;
            socket.async_wait(what, std::move(self));
        }

        std::shared_ptr<Core> core;
        Attempt attempt;
        bool has_waited = false;
        std::optional<Step> step{};
        boost::system::error_code failure{};
    };

    template <class Buffers>
    static boost::asio::mutable_buffer first_of(const Buffers& buffers) {
        const auto end = boost::asio::buffer_sequence_end(buffers);
        for (auto i = boost::asio::buffer_sequence_begin(buffers); i != end; ++i) {
            if (boost::asio::mutable_buffer{*i}.size() > 0) return *i;
        }
        return {};
    }
    static boost::system::error_code error_of(State state);
    static Step shake_hands(Core& core);
    static Step read(Core& core, boost::asio::mutable_buffer buffer);
    static Step write(Core& core, Bytes bytes);

    std::shared_ptr<Core> core_;
};

// What Beast asks of a stream below a WebSocket: an end that does not tear the last words out of
// the reader's hands. The WebSocket limits the time for it.
inline void beast_close_socket(Stream& stream) { stream.close(); }
template <class Handler>
void async_teardown(boost::beast::role_type /*role*/, Stream& stream, Handler&& handler) {
    using Scratch = std::array<std::uint8_t, 1'024>;
    stream.end_output();
    boost::asio::async_compose<Handler, void(boost::system::error_code)>(
        [&stream, scratch = std::make_unique<Scratch>(), is_begun = false](
            auto& self, boost::system::error_code error = {}, std::size_t /*size*/ = 0) mutable {
            if (!std::exchange(is_begun, true)) error = {};
            if (error == boost::asio::error::eof) return self.complete({});
            if (error) return self.complete(error);
            const auto buffer = boost::asio::buffer(*scratch);
            stream.async_read_some(buffer, std::move(self));
        },
        handler,
        stream);
}

}  // namespace sotto::cloud::server
