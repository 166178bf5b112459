// SPDX-License-Identifier: Apache-2.0
// A device of the virtual air: a UNIX stream socket in the air's folder. Allocates; never blocks;
// everything happens in the thread that runs the io_context.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "air/failure.hpp"
#include "air/peripheral.hpp"
#include "core/framing/air_operation.hpp"
#include "core/framing/frame.hpp"

namespace sotto::air {

class VirtualPeripheral final : public Peripheral {
  public:
    struct Options {
        std::string socket_path;  // ends with ".sock"; its folder must exist
        framing::DeviceId device_id{};
        std::string name;  // at most kNameSizeMax bytes of printable UTF-8
        bool has_owner = false;
        std::size_t value_size_max = framing::kValueSizeDefault;
        framing::Service service = framing::Service::Sotto;
        std::uint16_t release_seconds = 10;  // asked of the central when another one knocks
    };

    // `handler` must live as long as the peripheral.
    VirtualPeripheral(boost::asio::io_context& loop, Options options, PeripheralHandler& handler);
    ~VirtualPeripheral() override;
    VirtualPeripheral(const VirtualPeripheral&) = delete;
    VirtualPeripheral& operator=(const VirtualPeripheral&) = delete;

    // Appears on the air. Replaces the socket that a dead process left. Error::AlreadyExists if a
    // living process serves it, Error::NotFound without the folder, Error::InvalidArgument for a
    // path or name that cannot be used.
    Outcome<> open();

    Status send(Bytes frame) override;
    Status notify(Bytes value) override;
    void set_has_owner(bool has_owner) override;
    void set_name(const std::string& name) override;
    void disconnect() override;

  private:
    class Core;
    std::shared_ptr<Core> core_;
};

}  // namespace sotto::air
