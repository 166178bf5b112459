// SPDX-License-Identifier: Apache-2.0
// A stream of events to one reader (docs/api/rest.md). It keeps its place in the ring and nothing
// else, so that a reader who does not read costs no memory; he is closed after a while. Allocates;
// never blocks. It owns itself by what it waits for.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/http/request.hpp"
#include "cloud/http/rest.hpp"
#include "cloud/server/stream.hpp"

namespace sotto::cloud::server {

class EventStream;
using EventStreams = std::list<EventStream*>;

class EventStream final : public services::EventListener,
                          public std::enable_shared_from_this<EventStream> {
  public:
    // What it serves; must live until the event loop has ended.
    struct Services {
        services::EventRing& ring;
        http::Rest& rest;
        EventStreams& streams;
    };
    // Precondition: Rest::begin_stream() of the filter's account.
    EventStream(Stream stream, http::OpenStream opened, const Services& services);

    void start();
    void on_news() override;
    // Leaves the streams at once. Whatever it waits for ends when the event loop comes round.
    void leave();

  private:
    using Timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>,
                                          Executor>;

    void write(std::string_view text);
    void write_next();
    void read();
    void wait();
    void on_time();

    Services services_;
    Stream stream_;
    http::OpenStream opened_;
    std::uint64_t place_in_ring_;
    std::optional<EventStreams::iterator> place_;
    Timer timer_;
    std::string output_;
    std::array<char, 64> input_{};
    bool is_writing_ = false;
    bool is_time_ = false;  // for a heartbeat
};

}  // namespace sotto::cloud::server
