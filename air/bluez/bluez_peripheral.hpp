// SPDX-License-Identifier: Apache-2.0
// A device on an adapter of BlueZ: a GATT service and its advertisement, registered again whenever
// adapter, bluetoothd or bus come back, and when its name changes. One central at a time holds it;
// strangers learn name and service. Allocates; does not block but as Bus says; everything happens
// in the thread that runs the io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "air/bluez/bus.hpp"
#include "air/bluez/limits.hpp"
#include "air/peripheral.hpp"
#include "core/framing/air_operation.hpp"

namespace sotto::air::bluez {

class BluezPeripheral final : public Peripheral {
  public:
    struct Options {
        std::string adapter{};  // hci0, ...; empty: the first one
        std::string name{};     // at most kNameSizeMax bytes of printable UTF-8
        std::size_t value_size_max = framing::kValueSizeDefault;
        framing::Service service = framing::Service::Sotto;
        Duration silence_time = kSilenceTimeMax;
        // It can be heard, through this adapter; empty: it cannot.
        std::function<void(const std::string& adapter)> on_air{};
    };

    // `bus` and `handler` must live as long as the peripheral.
    BluezPeripheral(boost::asio::io_context& loop,
                    Bus& bus,
                    Options options,
                    PeripheralHandler& handler);
    ~BluezPeripheral() override;
    BluezPeripheral(const BluezPeripheral&) = delete;
    BluezPeripheral& operator=(const BluezPeripheral&) = delete;

    Status send(Bytes frame) override;
    Status notify(Bytes value) override;
    void set_has_owner(bool /*has_owner*/) override {}  // ATTACH says it
    // BlueZ gives a new advertisement a new address, if it gives private ones at all.
    void set_name(const std::string& name) override;
    void disconnect() override;

  private:
    class Core;
    std::shared_ptr<Core> core_;
};

}  // namespace sotto::air::bluez
