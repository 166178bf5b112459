// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/stream.hpp"

#include <cerrno>
#include <sys/socket.h>

namespace sotto::cloud::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// RFC 8446 §5.1: the type of the first record of every client.
constexpr std::uint8_t kHandshakeRecord = 22;

bool is_temporary(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

Stream::Stream(Socket socket) : core_(std::make_shared<Core>(std::move(socket))) {}

Stream::Stream(Socket socket, SSL_CTX& context, ports::TlsVersion least)
    : Stream(std::move(socket)) {
    error_code ignored;
    core_->socket.native_non_blocking(true, ignored);
    core_->tls.emplace(context, core_->socket.native_handle(), least);
}

Stream::Stream(Socket socket, SSL_CTX& context, const ports::Trust& trust, const std::string& host)
    : Stream(std::move(socket)) {
    error_code ignored;
    core_->socket.native_non_blocking(true, ignored);
    core_->tls.emplace(context, core_->socket.native_handle(), trust, host);
    core_->has_begun = true;  // it speaks first
}

void Stream::expires_after(std::chrono::seconds limit) {
    core_->timer.expires_after(limit);
    core_->timer.async_wait([weak = std::weak_ptr{core_}](error_code cancelled) {
        const auto core = weak.lock();
        if (cancelled || !core || core->timer.expiry() > std::chrono::steady_clock::now()) return;
        error_code ignored;
        core->socket.close(ignored);
    });
}

void Stream::expires_never() {
    core_->timer.expires_at(std::chrono::steady_clock::time_point::max());
}

void Stream::close() {
    expires_never();
    error_code ignored;
    core_->socket.close(ignored);
}

std::optional<std::size_t> Stream::write_now(Bytes bytes) {
    const ssize_t size = ::send(
        core_->socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) return static_cast<std::size_t>(size);
    if (is_temporary(errno)) return 0;
    return std::nullopt;
}

void Stream::end_output() {
    if (!core_->socket.is_open()) return;
    if (core_->tls) core_->tls->say_goodbye();
    error_code ignored;
    core_->socket.shutdown(Socket::shutdown_send, ignored);
}

error_code Stream::error_of(State state) {
    if (state == State::Ended) return asio::error::eof;
    if (state == State::Failed) return asio::error::connection_reset;
    return {};
}

Stream::Step Stream::shake_hands(Core& core) {
    if (!core.has_begun) {
        std::uint8_t first = 0;
        const ssize_t count = ::recv(core.socket.native_handle(), &first, 1, MSG_PEEK);
        if (count < 0 && is_temporary(errno)) return {State::WantRead};
        core.was_clear = count == 1 && first != kHandshakeRecord;
        if (core.was_clear) return {State::Failed};
        core.has_begun = true;
    }
    return core.tls->shake_hands();
}

Stream::Step Stream::read(Core& core, asio::mutable_buffer buffer) {
    if (buffer.size() == 0) return {};
    return core.tls->read({static_cast<std::uint8_t*>(buffer.data()), buffer.size()});
}

Stream::Step Stream::write(Core& core, Bytes bytes) {
    if (bytes.empty()) return {};
    return core.tls->write(bytes);
}

}  // namespace sotto::cloud::server
