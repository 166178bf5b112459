// SPDX-License-Identifier: Apache-2.0
// Connects to one place of the virtual air and hears the advertisement. Allocates; never blocks.
#pragma once

#include <functional>
#include <memory>
#include <variant>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/central.hpp"
#include "air/virtual/byte_stream.hpp"
#include "air/virtual/halves.hpp"

namespace sotto::air {

// What a central looks for. A device of another service is not there for it.
struct Wanted {
    std::size_t value_size_max = framing::kValueSizeDefault;
    bool takes_bluz = false;
    Central::IsWelcome is_welcome{};
};

class Knock final : public ByteStream::Handler, public std::enable_shared_from_this<Knock> {
  public:
    struct Heard {
        Sighting sighting;
        std::shared_ptr<ByteStream> stream;
        std::unique_ptr<CentralHalf> half;
    };
    using Answer = std::variant<Heard, Disconnect>;
    using Done = std::function<void(Answer)>;

    // `done` is called once from the event loop, unless the knock is cancelled first.
    static std::shared_ptr<Knock> start(boost::asio::io_context& loop,
                                        const Place& place,
                                        const Wanted& wanted,
                                        Done done);
    void cancel();

    // For start() only.
    Knock(boost::asio::io_context& loop, Place place, const Wanted& wanted, Done done);

    void on_bytes(Bytes bytes) override;
    void on_written(std::size_t piece_count) override;
    void on_closed(bool stalled) override;

  private:
    void connect(boost::asio::io_context& loop);
    void finish(Answer answer);

    Place place_;
    Wanted wanted_;
    std::unique_ptr<CentralHalf> half_;
    Done done_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<ByteStream> stream_;
};

}  // namespace sotto::air
