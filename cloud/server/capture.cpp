// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/capture.hpp"

#include <filesystem>

#include "cloud/http/api.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::server {

namespace channel = framing::channel;
namespace uplink = framing::uplink;

namespace {

constexpr const char* kNothing = "-";

// The link that a record names, if it names one.
std::optional<uplink::LinkId> link_of(const uplink::Record& record) {
    if (const auto* up = std::get_if<uplink::LinkUp>(&record)) return up->link;
    if (const auto* down = std::get_if<uplink::LinkDown>(&record)) return down->link;
    if (const auto* release = std::get_if<uplink::Release>(&record)) return release->link;
    if (const auto* message = std::get_if<uplink::Message>(&record)) return message->link;
    if (const auto* credit = std::get_if<uplink::Credit>(&record)) return credit->link;
    return std::nullopt;
}

const model::DeviceId* device_of(const channel::Record& record) {
    if (const auto* send = std::get_if<channel::Send>(&record)) return &send->device_id;
    if (const auto* deliver = std::get_if<channel::Deliver>(&record)) return &deliver->device_id;
    if (const auto* state = std::get_if<channel::State>(&record)) return &state->device_id;
    return nullptr;
}

}  // namespace

bool Capture::open(const std::string& path) {
    file_.open(path, std::ios::trunc);
    std::error_code error;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
    return file_.is_open() && !error;
}

void Capture::from_gateway(services::GatewayId id, Bytes bytes) {
    Gateway& gateway = gateways_[id];
    while (true) {
        const auto record = gateway.from.next(bytes).value_or(std::nullopt);
        if (!record) break;
        uplink_record(gateway, uplink::Side::Gateway, *record);
    }
    file_.flush();  // others read along
}

void Capture::to_gateway(services::GatewayId id, const services::Output& output) {
    Gateway& gateway = gateways_[id];
    std::size_t begin = 0;
    for (const std::size_t end : output.ends) {
        const Bytes bytes = Bytes{output.bytes}.subspan(begin, end - begin);
        uplink_record(gateway, uplink::Side::Cloud, bytes.subspan(framing::kUplinkSizeSize));
        begin = end;
    }
    file_.flush();
}

void Capture::from_app(Bytes record) {
    channel_record(channel::Side::App, record);
    file_.flush();
}

void Capture::to_app(const services::Output& output) {
    std::size_t begin = 0;
    for (const std::size_t end : output.ends) {
        channel_record(channel::Side::Cloud, Bytes{output.bytes}.subspan(begin, end - begin));
        begin = end;
    }
    file_.flush();
}

void Capture::uplink_record(Gateway& gateway, uplink::Side side, Bytes bytes) {
    const auto record = uplink::parse_record(bytes, side);
    const model::DeviceId* device = nullptr;
    std::string label = kNothing;
    if (record) {
        if (const auto* up = std::get_if<uplink::LinkUp>(&*record))
            gateway.devices[up->link.value()] = up->attach.device_id;
        if (const auto link = link_of(*record)) {
            const auto known = gateway.devices.find(link->value());
            if (known != gateway.devices.end()) device = &known->second;
        }
        if (const auto* message = std::get_if<uplink::Message>(&*record))
            label = std::to_string(message->label.value());
        if (std::holds_alternative<uplink::Hello>(*record)) bytes = bytes.first(2);
    }
    const bool is_from_gateway = side == uplink::Side::Gateway;
    line(is_from_gateway ? "gateway>cloud" : "cloud>gateway", device, label, bytes);
    if (record && std::holds_alternative<uplink::LinkDown>(*record))
        gateway.devices.erase(std::get<uplink::LinkDown>(*record).link.value());
}

void Capture::channel_record(channel::Side side, Bytes bytes) {
    const auto record = channel::parse_record(bytes, side);
    line(side == channel::Side::App ? "app>cloud" : "cloud>app",
         record ? device_of(*record) : nullptr,
         kNothing,
         bytes);
}

void Capture::line(const char* direction,
                   const model::DeviceId* device,
                   const std::string& label,
                   Bytes record) {
    file_ << direction << ' ' << (device != nullptr ? to_hex<std::string>(*device) : kNothing)
          << ' ' << label << ' ' << to_hex<std::string>(record) << '\n';
}

}  // namespace sotto::cloud::server
