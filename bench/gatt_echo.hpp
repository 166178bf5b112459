// SPDX-License-Identifier: Apache-2.0
// A bare echo over GATT, against which Sotto is measured: the same BlueZ, the same link, the same
// kind of sockets, and nothing of ours. Blocks; throws what goes wrong.
#pragma once

#include <cstddef>
#include <memory>
#include <sdbus-c++/sdbus-c++.h>
#include <string>

namespace sotto::bench {

// Offers the service on an adapter, and sends back every value, for as long as the process lives.
void serve_echo(const std::string& adapter);

// The other end, on a link that somebody has made to a device with the service.
class Echo {
  public:
    Echo();
    ~Echo();
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;

    // So many bytes there and back, in values that are as large as they can be.
    void round_trip(std::size_t size) const;

  private:
    std::unique_ptr<sdbus::IConnection> bus_;  // without it BlueZ ends the notifications
    int writer_ = -1;
    int reader_ = -1;
    std::size_t value_size_ = 0;
};

}  // namespace sotto::bench
