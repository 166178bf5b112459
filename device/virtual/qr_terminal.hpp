// SPDX-License-Identifier: Apache-2.0
// A QR code for a terminal, two modules to a character. Allocates; no output here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace sotto::device {

enum class QrStyle : std::uint8_t {
    Plain,   // for a file, or a terminal that writes light on dark
    Colour,  // with escape sequences: black on white whatever the terminal's colours are
};

// The lines of the code of a text from the alphabet of QR (digits, capitals, " $%*+-./:"), in
// UTF-8, with the quiet zone that scanners need. Error::TooLarge if no code holds it.
Result<std::vector<std::string>> qr_lines(std::string_view text, QrStyle style);

}  // namespace sotto::device
