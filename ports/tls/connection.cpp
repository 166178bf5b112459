// SPDX-License-Identifier: Apache-2.0
#include "ports/tls/connection.hpp"

#include <cerrno>
#include <limits>
#include <sys/socket.h>
#include <system_error>

#include <openssl/err.h>

#include "ports/tls/owned.hpp"

namespace sotto::ports {
namespace {

// A socket as OpenSSL sees it. OpenSSL's own writes so that a peer who has gone raises SIGPIPE.
struct Wire {
    int descriptor = -1;
    bool is_at_end = false;
};

bool is_temporary(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int read_wire(BIO* bio, char* out, int size) {
    auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t count = ::recv(wire.descriptor, out, static_cast<std::size_t>(size), 0);
    if (count < 0 && is_temporary(errno)) BIO_set_retry_read(bio);
    if (count == 0) wire.is_at_end = true;
    return static_cast<int>(count);
}

int write_wire(BIO* bio, const char* bytes, int size) {
    const auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t count =
        ::send(wire.descriptor, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (count < 0 && is_temporary(errno)) BIO_set_retry_write(bio);
    return static_cast<int>(count);
}

long control_wire(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return static_cast<Wire*>(BIO_get_data(bio))->is_at_end ? 1 : 0;
    return 0;
}

const BIO_METHOD* wire_method() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
        SOTTO_ASSERT(made != nullptr);
        BIO_meth_set_read(made, read_wire);
        BIO_meth_set_write(made, write_wire);
        BIO_meth_set_ctrl(made, control_wire);
        return made;
    }();
    return method;
}

int size_of(std::size_t size) {
    constexpr std::size_t kMost = std::numeric_limits<int>::max();
    return static_cast<int>(size < kMost ? size : kMost);
}

}  // namespace

struct TlsConnection::Core {
    Core(SSL_CTX& context, int descriptor) : wire{.descriptor = descriptor} {
        ssl.reset(SSL_new(&context));
        BIO* const bio = BIO_new(wire_method());
        SOTTO_ASSERT(ssl && bio != nullptr);
        BIO_set_data(bio, &wire);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl.get(), bio, bio);
    }

    Wire wire;
    std::unique_ptr<PeerCheck> check;  // a client's
    Owned<SSL> ssl;                    // dies before what it refers to
    std::string complaint;
};

TlsConnection::TlsConnection(SSL_CTX& context, int descriptor, TlsVersion least)
    : core_(std::make_unique<Core>(context, descriptor)) {
    if (least == TlsVersion::Tls13) SSL_set_min_proto_version(core_->ssl.get(), TLS1_3_VERSION);
    SSL_set_accept_state(core_->ssl.get());
}

TlsConnection::TlsConnection(SSL_CTX& context,
                             int descriptor,
                             const Trust& trust,
                             const std::string& host)
    : core_(std::make_unique<Core>(context, descriptor)) {
    core_->check = std::make_unique<PeerCheck>(trust, host);
    core_->check->attach(*core_->ssl);
    SSL_set_connect_state(core_->ssl.get());
}

TlsConnection::TlsConnection(TlsConnection&&) noexcept = default;
TlsConnection& TlsConnection::operator=(TlsConnection&&) noexcept = default;
TlsConnection::~TlsConnection() = default;

TlsConnection::Step TlsConnection::shake_hands() {
    ERR_clear_error();
    const Step step = step_of(SSL_do_handshake(core_->ssl.get()));
    if (step.state == State::Ended) core_->complaint = "it hung up when TLS was spoken to it";
    return step;
}

TlsConnection::Step TlsConnection::read(MutBytes buffer) {
    ERR_clear_error();
    return step_of(SSL_read(core_->ssl.get(), buffer.data(), size_of(buffer.size())));
}

TlsConnection::Step TlsConnection::write(Bytes bytes) {
    ERR_clear_error();
    return step_of(SSL_write(core_->ssl.get(), bytes.data(), size_of(bytes.size())));
}

void TlsConnection::say_goodbye() {
    ERR_clear_error();
    if (SSL_is_init_finished(core_->ssl.get()) == 1) SSL_shutdown(core_->ssl.get());
    ERR_clear_error();
}

TlsConnection::Step TlsConnection::step_of(int result) {
    const int system_error = errno;
    if (result > 0) return {State::Done, static_cast<std::size_t>(result)};
    switch (SSL_get_error(core_->ssl.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return {State::WantRead};
        case SSL_ERROR_WANT_WRITE:
            return {State::WantWrite};
        case SSL_ERROR_ZERO_RETURN:
            return {State::Ended};
        case SSL_ERROR_SYSCALL:
            if (core_->wire.is_at_end) return {State::Ended};
            core_->complaint = std::generic_category().message(system_error);
            return {State::Failed};
        default:
            break;
    }
    const unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return {State::Ended};
    const char* const reason = ERR_reason_error_string(error);
    core_->complaint = reason == nullptr ? "TLS failed" : std::string{"TLS failed: "} + reason;
    if (is_clear_text(error)) core_->complaint = "it does not speak TLS there";
    if (core_->check && core_->check->distrust() != Distrust::None)
        core_->complaint = core_->check->complaint();
    return {State::Failed};
}

const std::string& TlsConnection::complaint() const { return core_->complaint; }

}  // namespace sotto::ports
