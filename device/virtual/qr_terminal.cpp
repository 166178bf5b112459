// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/qr_terminal.hpp"

#include <memory>

#include <qrencode.h>

namespace sotto::device {
namespace {

constexpr int kQuietZone = 4;  // modules, as the standard of QR asks for

struct Free {
    void operator()(QRcode* code) const { QRcode_free(code); }
};

bool is_dark(const QRcode& code, int x, int y) {
    if (x < 0 || y < 0 || x >= code.width || y >= code.width) return false;
    return (code.data[y * code.width + x] & 1) != 0;
}

// Light modules are what is drawn: the foreground.
const char* half_block(bool upper_is_light, bool lower_is_light) {
    if (upper_is_light && lower_is_light) return "\xe2\x96\x88";  // full block
    if (upper_is_light) return "\xe2\x96\x80";                    // upper half block
    if (lower_is_light) return "\xe2\x96\x84";                    // lower half block
    return " ";
}

}  // namespace

Result<std::vector<std::string>> qr_lines(std::string_view text, QrStyle style) {
    const std::unique_ptr<QRcode, Free> code{
        QRcode_encodeString(std::string{text}.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 0)};
    if (!code) return Error::TooLarge;
    std::vector<std::string> lines;
    for (int y = -kQuietZone; y < code->width + kQuietZone; y += 2) {
        std::string line = style == QrStyle::Colour ? "\x1b[97;40m" : "";
        for (int x = -kQuietZone; x < code->width + kQuietZone; ++x)
            line += half_block(!is_dark(*code, x, y), !is_dark(*code, x, y + 1));
        if (style == QrStyle::Colour) line += "\x1b[0m";
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace sotto::device
