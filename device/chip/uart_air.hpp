// SPDX-License-Identifier: Apache-2.0
// A chip's UART on one side, the virtual air on the other (docs/protocol/air.md, "Over a UART").
// Allocates; never blocks; in the thread that runs the io_context.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/virtual/virtual_peripheral.hpp"
#include "core/framing/air_operation.hpp"
#include "core/framing/segment.hpp"
#include "device/chip/outcome.hpp"

namespace sotto::chip {

class UartAir final : private air::PeripheralHandler {
  public:
    // Bytes for a chip that does not read them; a central that sends more is disconnected.
    static constexpr std::size_t kQueueMax = 16'384;

    struct Setup {
        std::string uart;    // a serial port at 115,200 baud, or a UNIX socket
        std::string folder;  // of the air
        std::function<void(const std::string&)> log;
    };
    UartAir(boost::asio::io_context& loop, Setup setup);

    // Opens the UART and asks the chip who it is, again and again; it appears on the air when it
    // has answered. When the UART goes, so does the chip, and it is waited for.
    Outcome<> open();

  private:
    void on_connected() override;
    void on_frame(Bytes frame) override;
    void on_disconnected() override {}

    void probe();
    void wait_for_uart();
    void read();
    void on_operation(const framing::AirOperation& operation);
    void on_advertisement(const framing::Advertisement& advertisement);
    void send(const framing::AirOperation& operation);
    void write();
    void close(const std::string& why);

    boost::asio::io_context& loop_;
    Setup setup_;
    boost::asio::posix::stream_descriptor uart_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<air::VirtualPeripheral> peripheral_;
    std::size_t value_size_max_ = framing::kValueSizeDefault;
    std::array<std::uint8_t, framing::kAirCodeSizeMax> code_{};
    framing::AirDecoder decoder_{code_};
    std::array<std::uint8_t, framing::kFrameSizeMax> frame_{};
    framing::Reassembler reassembler_{frame_};
    framing::Segmenter segmenter_;
    std::array<std::uint8_t, 1'024> received_{};
    std::vector<std::uint8_t> queue_;
    std::vector<std::uint8_t> writing_;
};

}  // namespace sotto::chip
