// SPDX-License-Identifier: Apache-2.0
// The bytes between a gateway and one cloud: connects when told, cuts what comes into records,
// queues what goes. When to connect again is the relay's decision. Allocates, within
// kOutgoingBytesMax; never blocks.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "core/base/bytes.hpp"
#include "gateway/uplink/stream.hpp"

namespace sotto::gateway::uplink {

// A cloud that takes nothing while so much waits is given up.
inline constexpr std::size_t kOutgoingBytesMax = 4 * 1024 * 1024;

// Calls come from the event loop, never from within a call of ours.
class ClientHandler {
  public:
    virtual void on_up() = 0;
    // Type and body, valid during the call.
    virtual void on_record(Bytes record) = 0;
    // After every connect(), once: it failed, the cloud has closed, or close() was called.
    virtual void on_down(const std::string& why) = 0;

  protected:
    ~ClientHandler() = default;  // owned by the caller
};

class Client {
  public:
    using MakeStream = std::function<std::shared_ptr<Stream>()>;

    // `handler` must live as long as the client.
    Client(boost::asio::io_context& loop,
           Address address,
           MakeStream make_stream,
           ClientHandler& handler);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Precondition: on_down() was called after the last connect().
    void connect();
    // Queues a copy of a whole record, size included. Nothing while not connected.
    void send(Bytes record);
    // on_down() follows, with these words. Nothing while not connected.
    void close(const std::string& why);

  private:
    class Connection;

    boost::asio::io_context& loop_;
    Address address_;
    MakeStream make_stream_;
    ClientHandler& handler_;
    std::shared_ptr<Connection> connection_;
};

}  // namespace sotto::gateway::uplink
