// SPDX-License-Identifier: Apache-2.0
// A connection to a cloud as the client sees it; plain TCP, or TLS (security.hpp). Allocates;
// never blocks; callbacks come from the event loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "core/base/bytes.hpp"
#include "gateway/uplink/address.hpp"

namespace sotto::gateway::uplink {

class Stream {
  public:
    // An empty text is success, another one says what failed.
    using ConnectDone = std::function<void(std::string error)>;
    using ReadDone = std::function<void(std::string error, std::size_t size)>;
    using WriteDone = std::function<void(std::string error)>;

    virtual ~Stream() = default;
    // One of each at a time; the buffers must stay until the callback, which also comes, with an
    // error, when the stream is closed.
    virtual void connect(const Address& address, ConnectDone done) = 0;
    virtual void read_some(MutBytes buffer, ReadDone done) = 0;
    virtual void write(Bytes bytes, WriteDone done) = 0;
    virtual void close() = 0;
};

// Plain TCP. Without `is_insecure_allowed` it connects to loopback addresses only, since tokens
// never cross a clear link.
std::shared_ptr<Stream> make_plain_stream(boost::asio::io_context& loop, bool is_insecure_allowed);
// TCP to anywhere, for what is not ours: its bytes are not looked at, and no token crosses it.
std::shared_ptr<Stream> make_foreign_stream(boost::asio::io_context& loop);

}  // namespace sotto::gateway::uplink
