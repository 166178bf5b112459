// SPDX-License-Identifier: Apache-2.0
// Records what passes a gateway, for tests and demonstrations: one line for each frame on the air
// and each record on the uplink, "direction device label hex". The token of HELLO is left out.
#pragma once

#include <fstream>
#include <string>

#include "core/base/bytes.hpp"
#include "core/framing/frame.hpp"

namespace sotto::gateway {

class Capture {
  public:
    enum class Direction : std::uint8_t { FromDevice, ToDevice, FromCloud, ToCloud };

    // Records nothing until opened.
    Capture() = default;
    // Begins a new file, readable by its owner only. False if it cannot be written.
    bool open(const std::string& path);
    bool is_open() const { return file_.is_open(); }

    void frame(Direction direction, const framing::DeviceId& device, Bytes frame);
    // `device`: null if the record concerns none. `record` is type and body.
    void record(Direction direction, const framing::DeviceId* device, Bytes record);

  private:
    void line(Direction direction,
              const std::string& device,
              const std::string& label,
              Bytes bytes);

    std::ofstream file_;
};

}  // namespace sotto::gateway
