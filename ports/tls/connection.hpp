// SPDX-License-Identifier: Apache-2.0
// One TLS connection over a socket that does not block and that somebody else waits for and owns.
// Allocates; never blocks; raises no SIGPIPE. One thread at a time.
#pragma once

#include <memory>

#include "core/base/bytes.hpp"
#include "ports/tls/client_context.hpp"

namespace sotto::ports {

class TlsConnection {
  public:
    enum class State : std::uint8_t {
        Done,
        WantRead,   // to be called again when the socket can be read
        WantWrite,  // or written
        Ended,      // the other end has closed
        Failed,     // complaint() says why; there is no way on
    };
    struct Step {
        State state = State::Done;
        std::size_t size = 0;  // read or written, if Done; at least 1
    };

    // The server's end.
    TlsConnection(SSL_CTX& context, int descriptor, TlsVersion least);
    // The client's end, of a context of make_client_context().
    TlsConnection(SSL_CTX& context, int descriptor, const Trust& trust, const std::string& host);
    TlsConnection(TlsConnection&&) noexcept;
    TlsConnection& operator=(TlsConnection&&) noexcept;
    ~TlsConnection();

    Step shake_hands();
    // Both may be begun while the other waits. Buffers are not empty. A write that waits is to be
    // repeated with the same bytes, at whatever place.
    Step read(MutBytes buffer);
    Step write(Bytes bytes);
    // Tells the other end that nothing follows, if the socket takes it now.
    void say_goodbye();

    // In words, behind "the cloud at X: ".
    const std::string& complaint() const;

  private:
    struct Core;

    explicit TlsConnection(std::unique_ptr<Core> core);
    Step step_of(int result);

    std::unique_ptr<Core> core_;
};

}  // namespace sotto::ports
