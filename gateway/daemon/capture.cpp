// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/capture.hpp"

#include <filesystem>

#include "core/base/hex.hpp"
#include "core/base/reader.hpp"
#include "core/framing/uplink.hpp"

namespace sotto::gateway {

namespace {

constexpr const char* kNoDevice = "-";
constexpr const char* kNoLabel = "-";

const char* name_of(Capture::Direction direction) {
    switch (direction) {
        case Capture::Direction::FromDevice:
            return "device>gateway";
        case Capture::Direction::ToDevice:
            return "gateway>device";
        case Capture::Direction::FromCloud:
            return "cloud>gateway";
        case Capture::Direction::ToCloud:
            return "gateway>cloud";
    }
    return "?";
}

}  // namespace

bool Capture::open(const std::string& path) {
    file_.open(path, std::ios::trunc);
    std::error_code error;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
    return file_.is_open() && !error;
}

void Capture::frame(Direction direction, const framing::DeviceId& device, Bytes bytes) {
    if (!is_open()) return;
    const auto frame = framing::parse_frame(bytes);
    const auto* message = frame ? std::get_if<framing::Message>(&*frame) : nullptr;
    line(direction,
         to_hex<std::string>(device),
         message != nullptr ? std::to_string(message->label.value()) : kNoLabel,
         bytes);
}

void Capture::record(Direction direction, const framing::DeviceId* device, Bytes bytes) {
    if (!is_open()) return;
    namespace up = framing::uplink;
    const auto side = direction == Direction::ToCloud ? up::Side::Gateway : up::Side::Cloud;
    const auto record = up::parse_record(bytes, side);
    std::string label = kNoLabel;
    if (record) {
        if (std::holds_alternative<up::Hello>(*record)) bytes = bytes.first(2);
        if (const auto* message = std::get_if<up::Message>(&*record))
            label = std::to_string(message->label.value());
    }
    line(direction, device != nullptr ? to_hex<std::string>(*device) : kNoDevice, label, bytes);
}

void Capture::line(Direction direction,
                   const std::string& device,
                   const std::string& label,
                   Bytes bytes) {
    file_ << name_of(direction) << ' ' << device << ' ' << label << ' '
          << to_hex<std::string>(bytes) << std::endl;  // at once: others read along
}

}  // namespace sotto::gateway
