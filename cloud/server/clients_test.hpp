// SPDX-License-Identifier: Apache-2.0
// For tests: apps and gateways that talk to a cloud over real sockets, and wait for its answers.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <gtest/gtest.h>

#include "cloud/server/stream.hpp"
#include "core/framing/channel.hpp"
#include "core/framing/uplink.hpp"

namespace sotto::cloud::server {

namespace channel = framing::channel;
namespace uplink = framing::uplink;
using Buffer = std::vector<std::uint8_t>;
using Endpoint = boost::asio::ip::tcp::endpoint;

inline Buffer buffer_of(std::string_view text) { return {text.begin(), text.end()}; }

// A connection that says whatever it is given.
class RawClient {
  public:
    explicit RawClient(const Endpoint& endpoint) : socket_(loop_) { socket_.connect(endpoint); }

    // False if the cloud does not take it any more.
    bool send(std::string_view text) {
        boost::system::error_code error;
        boost::asio::write(socket_, boost::asio::buffer(text), error);
        return !error;
    }
    void end() {
        boost::system::error_code ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
    }
    // All that comes until the cloud closes.
    std::string read_all() {
        std::string text;
        boost::system::error_code error;
        boost::asio::read(socket_, boost::asio::dynamic_buffer(text), error);
        return text;
    }
    // One reply of HTTP with a Content-Length; to a HEAD there is nothing behind it.
    std::string read_reply(bool has_body = true) {
        boost::system::error_code error;
        const auto read_to = [&](std::size_t size) {
            if (text_.size() >= size) return;
            boost::asio::read(socket_,
                              boost::asio::dynamic_buffer(text_),
                              boost::asio::transfer_exactly(size - text_.size()),
                              error);
        };
        std::size_t end = std::string::npos;
        while (!error && (end = text_.find("\r\n\r\n")) == std::string::npos)
            read_to(text_.size() + 1);
        if (error) return {};
        if (!has_body) return std::exchange(text_, {});
        const std::size_t length = text_.find("Content-Length: ");
        read_to(end + 4 + std::stoul(text_.substr(length + 16)));
        return std::exchange(text_, {});
    }
    Socket& socket() { return socket_; }

  private:
    boost::asio::io_context loop_;
    Socket socket_;
    std::string text_;
};

struct HttpReply {
    int status = 0;
    std::string text;
};

inline HttpReply reply_of(const std::string& text) {
    constexpr std::string_view kVersion = "HTTP/1.1 ";
    if (!text.starts_with(kVersion)) return {0, text};
    return {std::stoi(text.substr(kVersion.size(), 3)), text};
}

// One request on a connection of its own.
inline HttpReply ask(const Endpoint& endpoint,
                     const std::string& request_line,
                     const std::string& token = {},
                     const std::string& more = "Connection: close\r\n") {
    RawClient client{endpoint};
    std::string head = request_line + " HTTP/1.1\r\nHost: cloud\r\n" + more;
    if (!token.empty()) head += "Authorization: Bearer " + token + "\r\n";
    client.send(head + "\r\n");
    return reply_of(client.read_reply());
}

inline constexpr const char* kAppTarget = "/sotto/v1/channel?app=00112233445566778899aabbccddeeff";

inline constexpr int kAppBuffer = 32'768;

using ClientStream = boost::beast::basic_stream<boost::asio::ip::tcp, Executor>;

// An app's end of a channel.
class AppClient {
  public:
    using WebSocket = boost::beast::websocket::stream<ClientStream>;

    AppClient(const Endpoint& endpoint,
              const std::string& token,
              const std::string& target = kAppTarget)
        : socket_(loop_) {
        Socket& socket = boost::beast::get_lowest_layer(socket_).socket();
        socket.open(endpoint.protocol());
        // So that it is known how much the system keeps for one who does not read, and how much
        // of what was written has not been read.
        socket.set_option(boost::asio::socket_base::receive_buffer_size{kAppBuffer});
        socket.set_option(boost::asio::socket_base::send_buffer_size{kAppBuffer});
        socket.connect(endpoint);
        socket_.set_option(boost::beast::websocket::stream_base::decorator(
            [&](boost::beast::websocket::request_type& request) {
                request.set(boost::beast::http::field::authorization, "Bearer " + token);
            }));
        boost::beast::websocket::response_type response;
        socket_.handshake(response, "cloud", target, error_);
        socket_.binary(true);
        status_ = static_cast<int>(response.result_int());
    }

    bool is_open() const { return !error_; }
    int status() const { return status_; }
    WebSocket& socket() { return socket_; }

    void write(const channel::Record& record) {
        std::array<std::uint8_t, framing::kChannelRecordSizeMax> out{};
        write_raw(*channel::encode_record(out, record));
    }
    void write_raw(Bytes bytes) {
        socket_.write(boost::asio::buffer(bytes.data(), bytes.size()), error_);
    }
    void send(const framing::DeviceId& device,
              const std::string& text,
              std::uint32_t lifetime_s = 0) {
        write(channel::Send{.reference = channel::Reference{++reference_},
                            .device_id = device,
                            .lifetime_s = lifetime_s,
                            .message = as_bytes(text)});
    }
    // As send(), so many times at once: not a segment for each, under which TCP would crawl.
    void send_many(const framing::DeviceId& device, const std::string& text, std::size_t count) {
        std::array<std::uint8_t, framing::kChannelRecordSizeMax> out{};
        const Bytes record =
            *channel::encode_record(out,
                                    channel::Send{.reference = channel::Reference{++reference_},
                                                  .device_id = device,
                                                  .lifetime_s = 0,
                                                  .message = as_bytes(text)});
        // RFC 6455 §5.2: a whole binary message, masked with zeros.
        Buffer frame{0x82, static_cast<std::uint8_t>(0x80 | record.size()), 0, 0, 0, 0};
        frame.insert(frame.end(), record.begin(), record.end());
        Buffer frames;
        frames.reserve(frame.size() * count);
        for (std::size_t i = 0; i < count; ++i)
            frames.insert(frames.end(), frame.begin(), frame.end());
        boost::asio::write(
            boost::beast::get_lowest_layer(socket_).socket(), boost::asio::buffer(frames), error_);
    }
    // The next record; its bytes are valid until the next call. A record of our own kind, which no
    // cloud sends, once the channel has ended.
    channel::Record read() {
        while (true) {
            input_.clear();
            socket_.read(input_, error_);
            if (error_) return channel::Ack{};
            const auto data = input_.cdata();
            const auto record = channel::parse_record(
                {static_cast<const std::uint8_t*>(data.data()), data.size()}, channel::Side::Cloud);
            // It comes at some time after the opening; nobody here waits for it.
            if (!std::holds_alternative<channel::CaughtUp>(*record)) return *record;
        }
    }
    template <class T>
    T read() {
        const channel::Record record = read();
        if (const T* wanted = std::get_if<T>(&record)) return *wanted;
        ADD_FAILURE() << "not the record expected: " << record.index();
        return {};
    }
    // Whether the cloud says good-bye after whatever else it has said.
    bool is_ended() {
        while (!error_) static_cast<void>(read());
        return true;
    }

  private:
    boost::asio::io_context loop_;
    WebSocket socket_;
    boost::system::error_code error_;
    boost::beast::flat_buffer input_;
    int status_ = 0;
    std::uint32_t reference_ = 0;
};

// A gateway's end of an uplink.
class GatewayClient {
  public:
    explicit GatewayClient(const Endpoint& endpoint) : client_(endpoint) {}

    bool write(const uplink::Record& record) {
        std::array<std::uint8_t, framing::kUplinkBytesMax> out{};
        return client_.send(as_text(*uplink::encode_record(out, record)));
    }
    bool write_raw(std::string_view bytes) { return client_.send(bytes); }
    // The next record but pings, valid until the next call; a HELLO once the cloud has closed.
    uplink::Record read() {
        while (true) {
            const auto bytes = splitter_.next(rest_).value();
            if (bytes) {
                const auto record = uplink::parse_record(*bytes, uplink::Side::Cloud).value();
                if (!std::holds_alternative<uplink::Ping>(record)) return record;
                continue;
            }
            boost::system::error_code error;
            const std::size_t size = client_.socket().read_some(boost::asio::buffer(input_), error);
            if (error) return uplink::Hello{};
            rest_ = Bytes{input_}.first(size);
        }
    }
    template <class T>
    T read() {
        const uplink::Record record = read();
        if (const T* wanted = std::get_if<T>(&record)) return *wanted;
        ADD_FAILURE() << "not the record expected: " << record.index();
        return {};
    }
    bool sign_in(std::string_view token) {
        write(uplink::Hello{.token = token});
        return std::holds_alternative<uplink::Welcome>(read());
    }
    bool is_ended() { return std::holds_alternative<uplink::Hello>(read()); }
    RawClient& raw() { return client_; }

  private:
    RawClient client_;
    std::array<std::uint8_t, 4'096> input_{};
    Bytes rest_;
    uplink::Splitter splitter_;
};

}  // namespace sotto::cloud::server
