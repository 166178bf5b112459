// SPDX-License-Identifier: Apache-2.0
// The UNIX socket at which a gateway says how it stands, and who asks there. One line in, the form
// (text, json or metrics); the status out. Allocates; the port never blocks, show_status() does.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "gateway/daemon/status.hpp"

namespace sotto::gateway {

class StatusPort {
  public:
    StatusPort(boost::asio::io_context& loop, std::function<Report()> status);
    ~StatusPort();
    StatusPort(const StatusPort&) = delete;
    StatusPort& operator=(const StatusPort&) = delete;

    // Nothing, or why there is no socket at this path. One that nobody serves is replaced.
    std::string open(const std::string& path);

  private:
    class Visitor;

    void accept();

    boost::asio::io_context& loop_;
    std::function<Report()> status_;
    std::string path_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::shared_ptr<std::size_t> visitor_count_ = std::make_shared<std::size_t>(0);
};

// Prints what the gateway at this socket says; an exit code.
int show_status(const std::string& path, const std::string& form);

}  // namespace sotto::gateway
