// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay/rig.hpp"

namespace sotto::gateway::relay {

namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string describe_record(const std::vector<std::uint8_t>& bytes) {
    const auto record =
        up::parse_record(Bytes{bytes}.subspan(framing::kUplinkSizeSize), up::Side::Gateway);
    if (!record) return "?";
    if (const auto* item = std::get_if<up::Hello>(&*record))
        return "hello " + std::string{item->token};
    if (std::holds_alternative<up::TagsWanted>(*record)) return "tags wanted";
    if (const auto* item = std::get_if<up::LinkUp>(&*record))
        return "up " + number(item->link.value());
    if (const auto* item = std::get_if<up::LinkDown>(&*record))
        return "down " + number(item->link.value());
    if (const auto* item = std::get_if<up::Message>(&*record))
        return "message " + number(item->link.value()) + " " + number(item->label.value()) + " " +
               std::string{as_text(item->message)};
    if (const auto* item = std::get_if<up::Credit>(&*record))
        return "credit " + number(item->link.value()) + " " + number(item->count);
    if (std::holds_alternative<up::Ping>(*record)) return "ping";
    return "pong " + number(std::get<up::Pong>(*record).value);
}

std::string describe_frame(const std::vector<std::uint8_t>& bytes) {
    const auto frame = framing::parse_frame(bytes);
    const auto* message = frame ? std::get_if<framing::Message>(&*frame) : nullptr;
    if (message == nullptr) return "?";
    return number(message->label.value()) + " " + std::string{as_text(message->message)};
}

}  // namespace

std::string Rig::describe(const Output& output) {
    if (const auto* item = std::get_if<ConnectCloud>(&output))
        return "connect " + number(item->cloud.value());
    if (const auto* item = std::get_if<CloseCloud>(&output))
        return "close cloud " + number(item->cloud.value()) + " why " +
               number(static_cast<std::uint8_t>(item->why));
    if (const auto* item = std::get_if<SendToCloud>(&output))
        return number(item->cloud.value()) + "< " + describe_record(item->record);
    if (const auto* item = std::get_if<SendToDevice>(&output))
        return "device " + number(item->link.value()) + " " + describe_frame(item->frame);
    if (const auto* item = std::get_if<CloseLink>(&output))
        return "close link " + number(item->link.value()) + " why " +
               number(static_cast<std::uint8_t>(item->why)) + " away " +
               number(static_cast<std::uint64_t>(item->stay_away.ms / 1'000));
    if (const auto* item = std::get_if<CloudWelcomed>(&output))
        return "welcomed " + number(item->cloud.value());
    if (const auto* item = std::get_if<CloudRefused>(&output))
        return "refused " + number(item->cloud.value());
    return "offered " + number(std::get<DeviceOffered>(output).link.value()) + " to " +
           number(std::get<DeviceOffered>(output).cloud.value());
}

}  // namespace sotto::gateway::relay
