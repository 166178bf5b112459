// SPDX-License-Identifier: Apache-2.0
// Firmware for devices.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_find.hpp"
#include "cloud/http/rest_replies.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::http {

std::string plain_file_name(std::string_view path) {
    path.remove_prefix(std::min(path.find_last_of("/\\") + 1, path.size()));
    std::string name{path.substr(0, kFileNameSizeMax)};
    std::ranges::replace_if(name, [](char c) { return c < ' ' || c > '~'; }, '_');
    return name;
}

namespace {

services::FirmwarePtr firmware_of(const Part& file) {
    return std::make_shared<const services::Firmware>(
        services::Firmware{.name = plain_file_name(file.file_name),
                           .bytes = {file.content.begin(), file.content.end()}});
}

}  // namespace

// Answered once the device is ready for it: what it says to that is for who sends the file. What
// comes then is told by events.
void Rest::flash_device(const CallPtr& call) {
    if (config_.updates == nullptr)
        return call->done(rest_refusal(501, "not_supported", "This cloud updates no devices"));
    if (call->files.size() != 1 || call->files[0].name != "file")
        return call->done(rest_refusal(
            400,
            "invalid_request",
            "Send one firmware, as the file named file; sources are not compiled here"));
    find_open_device(call, [this, call](const Target& target) {
        if (target.line == nullptr)
            return call->done(rest_refusal(services::DeviceError::NotConnected, "Update"));
        const std::string id = to_hex<std::string>(target.id);
        services::FirmwarePtr firmware = firmware_of(call->files[0]);
        call->files.clear();
        call->request.body = {};
        const auto on_begun = [this, call, id](const services::UpdateResult& begun) {
            audit(*call, "device-flash", id, begun ? "done" : "refused");
            if (!begun) return call->done(rest_refusal(begun.error()));
            call->done(rest_reply({{"id", id}, {"ok", true}, {"status", "Update started"}}));
        };
        config_.updates->begin({.device = target.id,
                                .owner = call->access.account,
                                .firmware = std::move(firmware),
                                .on_begun = on_begun});
    });
}

}  // namespace sotto::cloud::http
