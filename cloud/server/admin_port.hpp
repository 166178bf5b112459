// SPDX-License-Identifier: Apache-2.0
// Answers the operator of this machine: GET, one request for each connection, no token. On a UNIX
// socket in the state folder, which only its user can reach, and where metrics have a port of their
// own. Allocates; never blocks; everything happens in the thread that runs the io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/generic/stream_protocol.hpp>

#include "cloud/server/door.hpp"
#include "ports/linux/failure.hpp"
#include "ports/linux/file.hpp"

namespace sotto::cloud::server {

struct AdminReply {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body;
};
// What there is at a path; status 404 where nothing is.
using AdminAnswer = std::function<AdminReply(std::string_view path)>;

inline constexpr const char* kAdminSocketName = "control.sock";

class AdminPort {
  public:
    using Listener = Door<boost::asio::generic::stream_protocol>;
    using GenericAcceptor = Listener::Acceptor;

    // `acceptor` listens already. Must live until the event loop has ended.
    AdminPort(boost::asio::io_context& loop, GenericAcceptor acceptor, AdminAnswer answer);

    void start() { door_.open(); }
    void stop() { door_.close(); }

  private:
    class Connection;

    void on_socket(Listener::Socket socket);

    boost::asio::io_context& loop_;
    Listener door_;
    AdminAnswer answer_;
    std::shared_ptr<std::size_t> connection_count_ = std::make_shared<std::size_t>(0);
};

// Listens in the folder, in place of a socket that is there: precondition is that no other process
// runs this cloud. Error::StorageFailed.
ports::Outcome<AdminPort::GenericAcceptor> listen_for_admin(boost::asio::io_context& loop,
                                                            const std::string& state);
void remove_admin_socket(const std::string& state);

// The body that the running cloud answers to GET `path`. Blocks, for some seconds at most.
// Error::NotFound if none runs there, Error::StorageFailed if it does not answer.
ports::Outcome<std::string> ask_running_cloud(const std::string& state, const std::string& path);

}  // namespace sotto::cloud::server
