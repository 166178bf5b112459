// SPDX-License-Identifier: Apache-2.0
// A TCP connection to a cloud, plain or in TLS, as one type: HTTP and WebSocket above it are
// compiled once. Allocates; asynchronous; one read and one write at a time.
#pragma once

#include <array>
#include <memory>
#include <variant>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/role.hpp>

#include "ports/tls/peer_check.hpp"

namespace sotto::app {

// A completion handler of any type, for one signature. Move-only, called once.
template <class... Args>
class Completion {
  public:
    template <class Handler>
    explicit Completion(Handler handler)
        : held_(std::make_unique<Held<Handler>>(std::move(handler))) {}
    void operator()(Args... args) {
        const auto held = std::move(held_);
        held->call(args...);
    }

  private:
    struct Base {
        virtual ~Base() = default;
        virtual void call(Args... args) = 0;
    };
    template <class Handler>
    struct Held final : Base {
        explicit Held(Handler given) : handler(std::move(given)) {}
        void call(Args... args) override { std::move(handler)(args...); }
        Handler handler;
    };
    std::unique_ptr<Base> held_;
};
using Done = Completion<boost::system::error_code>;
using DoneSome = Completion<boost::system::error_code, std::size_t>;

class CloudStream {
  public:
    using executor_type = boost::asio::io_context::executor_type;
    using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor_type>;
    using TlsStream = boost::asio::ssl::stream<Socket>;

    explicit CloudStream(boost::asio::io_context& loop) : stream_(Socket{loop}) {}

    executor_type get_executor() { return socket().get_executor(); }
    Socket& socket();
    void close();

    // TLS with a context of ports::make_client_context(), to whom the check lets pass. Both must
    // outlive the stream.
    template <class Token>
    auto async_start_tls(boost::asio::ssl::context& context,
                         ports::PeerCheck& check,
                         Token&& token) {
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
            [this, &context, &check](auto handler) {
                start_tls(context, check, Done{std::move(handler)});
            },
            token);
    }
    void shut_down(Done done);

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        const boost::asio::mutable_buffer first = first_of<boost::asio::mutable_buffer>(buffers);
        return boost::asio::async_initiate<Token, Signature>(
            [this, first](auto handler) { start_read(first, DoneSome{std::move(handler)}); },
            token);
    }
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        // Head and payload of a frame leave in one piece.
        const std::size_t size = boost::asio::buffer_copy(boost::asio::buffer(output_), buffers);
        return boost::asio::async_initiate<Token, Signature>(
            [this, size](auto handler) { start_write(size, DoneSome{std::move(handler)}); }, token);
    }

  private:
    using Signature = void(boost::system::error_code, std::size_t);

    template <class Buffer, class Buffers>
    static Buffer first_of(const Buffers& buffers) {
        for (auto i = boost::asio::buffer_sequence_begin(buffers);
             i != boost::asio::buffer_sequence_end(buffers);
             ++i) {
            if (Buffer{*i}.size() > 0) return Buffer{*i};
        }
        return {};
    }
    void start_tls(boost::asio::ssl::context& context, ports::PeerCheck& check, Done done);
    void start_read(boost::asio::mutable_buffer buffer, DoneSome done);
    void start_write(std::size_t size, DoneSome done);

    std::variant<Socket, std::unique_ptr<TlsStream>> stream_;
    std::array<std::uint8_t, 4'096> output_{};
};

// What Beast asks of a stream below a WebSocket.
inline void beast_close_socket(CloudStream& stream) { stream.close(); }
template <class Handler>
void async_teardown(boost::beast::role_type /*role*/, CloudStream& stream, Handler&& handler) {
    stream.shut_down(Done{std::forward<Handler>(handler)});
}

}  // namespace sotto::app
