// SPDX-License-Identifier: Apache-2.0
#include "app/transport/cloud_stream.hpp"

#include <boost/asio/post.hpp>

namespace sotto::app {

namespace asio = boost::asio;

CloudStream::Socket& CloudStream::socket() {
    if (auto* plain = std::get_if<Socket>(&stream_)) return *plain;
    return std::get<std::unique_ptr<TlsStream>>(stream_)->next_layer();
}

void CloudStream::close() {
    boost::system::error_code ignored;
    socket().close(ignored);
}

void CloudStream::start_tls(asio::ssl::context& context, ports::PeerCheck& check, Done done) {
    auto tls = std::make_unique<TlsStream>(std::move(socket()), context);
    check.attach(*tls->native_handle());
    TlsStream& stream = *tls;
    stream_ = std::move(tls);
    stream.async_handshake(asio::ssl::stream_base::client, std::move(done));
}

void CloudStream::shut_down(Done done) {
    if (auto* tls = std::get_if<std::unique_ptr<TlsStream>>(&stream_)) {
        (*tls)->async_shutdown(std::move(done));
        return;
    }
    boost::system::error_code error;
    socket().shutdown(Socket::shutdown_both, error);
    asio::post(get_executor(), [done = std::move(done), error]() mutable { done(error); });
}

void CloudStream::start_read(asio::mutable_buffer buffer, DoneSome done) {
    std::visit(
        [&](auto& stream) {
            if constexpr (std::is_same_v<std::decay_t<decltype(stream)>, Socket>) {
                stream.async_read_some(buffer, std::move(done));
            } else {
                stream->async_read_some(buffer, std::move(done));
            }
        },
        stream_);
}

void CloudStream::start_write(std::size_t size, DoneSome done) {
    const auto buffer = asio::buffer(output_.data(), size);
    std::visit(
        [&](auto& stream) {
            if constexpr (std::is_same_v<std::decay_t<decltype(stream)>, Socket>) {
                stream.async_write_some(buffer, std::move(done));
            } else {
                stream->async_write_some(buffer, std::move(done));
            }
        },
        stream_);
}

}  // namespace sotto::app
