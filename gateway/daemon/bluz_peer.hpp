// SPDX-License-Identifier: Apache-2.0
// Does what bluz::Device decides for one bluz device on the air: its TCP stream to the server of
// legacy devices, its socket for apps on this machine. Allocates; never blocks; everything happens
// in the thread that runs the io_context.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/base/time.hpp"
#include "gateway/bluz/device.hpp"
#include "gateway/daemon/local_port.hpp"
#include "gateway/uplink/stream.hpp"
#include "ports/service/log.hpp"

namespace sotto::gateway {

// How bluz devices are served; not at all if there is neither server nor folder.
struct BluzService {
    std::string server_text{};                // as the operator wrote it
    std::optional<uplink::Address> server{};  // nothing: no streams
    std::vector<bluz::DeviceId> admitted{};   // empty: all
    std::string local_folder{};               // of custom data; empty: none passes

    bool is_offered() const { return server || !local_folder.empty(); }
};

class BluzPeer {
  public:
    // The link that it is on.
    class Host {
      public:
        virtual void write_value(Bytes value) = 0;
        // The last call. No time: as long as after any failure.
        virtual void let_go(std::optional<Duration> stay_away) = 0;
        virtual Instant now() const = 0;
        virtual bluz::Jitter jitter() = 0;

      protected:
        ~Host() = default;
    };

    // The device has just been subscribed to; start() follows. All must live as long as the peer.
    BluzPeer(boost::asio::io_context& loop,
             const BluzService& service,
             std::string name,
             Host& host,
             ports::Log& log);
    ~BluzPeer();
    BluzPeer(const BluzPeer&) = delete;
    BluzPeer& operator=(const BluzPeer&) = delete;

    void start() { pump(); }
    void on_value(Bytes value);
    void on_values_sent(std::size_t count);
    void on_time();
    void on_link_down(const std::string& why);

    // Its id, or unknown.
    std::string device() const;
    // It worked, or had nothing to fail at.
    bool has_settled() const;

  private:
    class Connection;

    void pump();
    void perform(const bluz::SendValue& output);
    void perform(const bluz::OpenStream& output);
    void perform(const bluz::CloseStream& output);
    void perform(bluz::WriteStream& output);
    void perform(const bluz::LocalData& output);
    void perform(const bluz::CloseLink& output);
    void perform(const bluz::Introduced& output);
    void perform(const bluz::LocalRefused& output);

    // What a connection reports.
    void on_stream_up();
    void on_stream_bytes(Bytes bytes);
    void on_stream_written();
    void on_stream_down(const std::string& why);

    boost::asio::io_context& loop_;
    const BluzService& service_;
    std::string name_;
    Host& host_;
    ports::Log& log_;
    Instant since_;
    bluz::Device device_;
    std::shared_ptr<Connection> connection_;
    std::optional<Instant> stream_since_;
    std::string last_why_;
    std::unique_ptr<LocalPort> local_;
};

}  // namespace sotto::gateway
