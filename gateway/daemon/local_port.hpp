// SPDX-License-Identifier: Apache-2.0
// The socket by which apps on this machine reach the custom data of one bluz device, in the clear
// (docs/protocol/bluz.md, "Custom data"). Allocates; never blocks; everything happens in the thread
// that runs the io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto::gateway {

class LocalPort {
  public:
    // What an app has written. Error::Busy: it is offered again at resume().
    using Received = std::function<Status(Bytes)>;

    LocalPort(boost::asio::io_context& loop, Received received);
    ~LocalPort();
    LocalPort(const LocalPort&) = delete;
    LocalPort& operator=(const LocalPort&) = delete;

    // Nothing, or why there is no socket at this path.
    std::string open(const std::string& path);
    // To every app; one that does not read loses it.
    void send(Bytes data);
    // There may be room again.
    void resume();

    // How a socket is called, and that none is left of an earlier run.
    static std::string path_of(const std::string& folder, const std::string& device);
    static void clear(const std::string& folder);

  private:
    class App;

    void accept();
    void accept_later();

    boost::asio::io_context& loop_;
    Received received_;
    std::string path_;
    boost::asio::posix::stream_descriptor listener_;
    boost::asio::steady_timer retry_;
    std::vector<std::shared_ptr<App>> apps_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace sotto::gateway
