// SPDX-License-Identifier: Apache-2.0
// An app's end of the app channel, as bare as it can be: what it costs is not what is measured.
// Blocks. Throws std::runtime_error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/framing/channel.hpp"

namespace sotto::bench {

// A TCP connection to 127.0.0.1 of "host:port" or a port.
int connect_to(const std::string& address);

class ChannelClient {
  public:
    ChannelClient(const std::string& address, const std::string& token, unsigned app_number);
    ~ChannelClient();
    ChannelClient(const ChannelClient&) = delete;
    ChannelClient& operator=(const ChannelClient&) = delete;

    int socket() const { return socket_; }
    // Queues a record; flush() writes all of them.
    void send(const framing::channel::Record& record);
    void flush();
    // Reads what has come, and calls `on_record` for each record. Waits for the first if `wait`.
    template <class Call>
    void receive(bool wait, Call on_record) {
        fill(wait);
        while (const auto record = next()) on_record(*record);
    }

  private:
    void fill(bool wait);
    std::optional<framing::channel::Record> next();

    int socket_;
    std::vector<std::uint8_t> output_;
    std::vector<std::uint8_t> input_;
    std::size_t taken_ = 0;
};

}  // namespace sotto::bench
