// SPDX-License-Identifier: Apache-2.0
// Shows the pairing code of a device without owner: as a QR code and as text in the log, and in a
// file for scripts. Allocates; blocks on output.
#pragma once

#include "core/session/authority.hpp"
#include "device/virtual/log.hpp"
#include "device/virtual/outcome.hpp"
#include "device/virtual/qr_terminal.hpp"

namespace sotto::device {

class CodeDisplay {
  public:
    struct Options {
        QrStyle style = QrStyle::Plain;
        std::string file;  // empty: none
    };
    CodeDisplay(Log& log, Options options) : log_(log), options_(std::move(options)) {}

    // Shows what there is to show now; fails if the file cannot be written.
    Outcome<> show(const session::Authority& authority, const cose::Credential& credential);

  private:
    void print(const std::string& code);
    Outcome<> write_file(const std::string& code) const;

    Log& log_;
    Options options_;
};

}  // namespace sotto::device
