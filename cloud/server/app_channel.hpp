// SPDX-License-Identifier: Apache-2.0
// The WebSocket of one app (docs/protocol/channel.md): carries records between it and the hub.
// Allocates; never blocks. It owns itself by what it waits for, and ends with its socket.
#pragma once

#include <memory>
#include <optional>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "cloud/server/stream.hpp"
#include "cloud/services/hub.hpp"

namespace sotto::cloud::server {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

class AppChannel final : public services::Line, public std::enable_shared_from_this<AppChannel> {
  public:
    // `hub` must live until the event loop has ended.
    explicit AppChannel(services::Hub& hub) : hub_(hub) {}

    // Answers the upgrade, and carries records from then on. Precondition: the hub has this line.
    void start(Stream stream, const HttpRequest& request);

    void on_ready() override;
    void on_time(Instant now) override;

  private:
    void on_accepted(boost::system::error_code error);
    void read();
    void on_read(boost::system::error_code error);
    void write_next();
    void on_written(boost::system::error_code error);
    void say_goodbye();
    void end();

    services::Hub& hub_;
    std::optional<boost::beast::websocket::stream<Stream>> socket_;  // once started
    boost::beast::flat_buffer input_;
    services::Output output_;
    std::size_t record_ = 0;  // the next of output_ to be written
    Instant taken_at_;
    bool is_open_ = false;
    bool is_writing_ = false;
    bool is_ready_ = false;
    bool is_closing_ = false;
};

}  // namespace sotto::cloud::server
