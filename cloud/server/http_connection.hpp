// SPDX-License-Identifier: Apache-2.0
// One HTTP connection: a request at a time, until it ends or becomes a channel. Allocates; never
// blocks. It owns itself by what it waits for.
#pragma once

#include <array>
#include <chrono>
#include <list>
#include <memory>
#include <optional>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "cloud/http/api.hpp"
#include "cloud/server/event_stream.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/server/stream.hpp"
#include "cloud/services/hub.hpp"

namespace sotto::cloud::server {

class HttpConnection;

// The connections that are no channels, the one that has been silent longest first.
using HttpConnections = std::list<HttpConnection*>;

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
  public:
    // What it serves; must live until the event loop has ended.
    struct Services {
        http::Api& api;
        services::Hub& hub;
        HttpConnections& connections;
        EventStreams& streams;
        services::EventRing* ring = nullptr;  // both where there is REST
        http::Rest* rest = nullptr;
    };

    HttpConnection(Stream stream, const Services& services)
        : services_(services), stream_(std::move(stream)) {}

    void start();
    // Leaves `connections` at once. Whatever it waits for ends when the event loop comes round.
    void leave();

  private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
    using Response = boost::beast::http::response<boost::beast::http::string_body>;

    void on_shaken_hands(boost::system::error_code error);
    void read_request(std::chrono::seconds limit);
    void on_header(boost::system::error_code error);
    void read_body();
    void begin_upload();
    void on_upload_allowed(Result<model::AccountId, http::Reply> account);
    void end_upload();
    void on_request(boost::system::error_code error);
    void on_answer(http::Answer answer);
    void open_channel(const model::AppAddress& app);
    void open_stream(http::OpenStream opened);
    void write(http::Reply reply, bool keep_alive);
    void on_written(boost::system::error_code error);
    void drain();
    void on_drained(boost::system::error_code error, std::size_t size);

    Services services_;
    Stream stream_;
    std::optional<HttpConnections::iterator> place_;
    boost::beast::flat_buffer input_{kBufferSizeMax};
    std::optional<Parser> parser_;
    std::optional<Response> response_;
    std::size_t drained_ = 0;
    std::optional<model::AccountId> upload_;  // whose it is
};

}  // namespace sotto::cloud::server
