// SPDX-License-Identifier: Apache-2.0
// A serial line. Allocates; blocks for as long as it is told.
#pragma once

#include <string>

#include "app/client/failure.hpp"
#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "ports/linux/file.hpp"

namespace sotto::app {

class SerialLine {
  public:
    // At 38,400 bit/s, 8N1, without flow control, which is what bluz's boot program speaks.
    // Trouble::Usage: there is no such line, it cannot be opened, or another program has it.
    static Outcome<SerialLine> open(const std::string& path);

    // Trouble::Unreachable: the line is gone.
    Outcome<> write(Bytes bytes);
    // What comes within the limit, at the front of `room`; nothing if nothing does.
    Outcome<Bytes> read(MutBytes room, Duration limit);

  private:
    SerialLine(ports::File file, std::string path)
        : file_(std::move(file)), path_(std::move(path)) {}
    Failure gone() const;

    ports::File file_;
    std::string path_;
};

}  // namespace sotto::app
