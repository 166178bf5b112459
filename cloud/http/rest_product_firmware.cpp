// SPDX-License-Identifier: Apache-2.0
// The firmware of a product, and which devices are to have which.
#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_find.hpp"
#include "cloud/http/rest_replies.hpp"

namespace sotto::cloud::http {

using model::FirmwareRecord;
using model::ReleaseRecord;
using nlohmann::json;
using services::Product;

namespace {

Reply no_firmware() { return rest_refusal(404, "not_found", "This product has no such firmware"); }

std::optional<model::FirmwareVersion> version_of(std::string_view text) {
    model::FirmwareVersion version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return version;
}

// The release that counts for a group.
const ReleaseRecord* release_of(const Product& product, const std::string& group) {
    const auto& releases = product.releases;
    const auto last = std::find_if(releases.rbegin(), releases.rend(), [&](const auto& release) {
        return std::ranges::find(release.groups, group) != release.groups.end();
    });
    return last == releases.rend() ? nullptr : &*last;
}

std::vector<std::string> groups_with(const Product& product, model::FirmwareVersion version) {
    std::vector<std::string> groups;
    for (const auto& [name, group] : product.groups) {
        const ReleaseRecord* const release = release_of(product, name);
        if (release != nullptr && release->version == version) groups.push_back(name);
    }
    return groups;
}

const char* state_of(const Product& product, const ReleaseRecord& release) {
    const bool counts = product.default_release() == &release ||
                        std::ranges::any_of(release.groups, [&](const std::string& group) {
                            return release_of(product, group) == &release;
                        });
    if (!counts) return "superseded";
    return release.state == model::ReleaseState::Stopped ? "stopped" : "running";
}

Reply firmware_failure(Error error) {
    if (error == Error::NotFound) return no_firmware();
    if (error == Error::AlreadyExists)
        return rest_refusal(
            409, "already_exists", "This product has a firmware of this version already");
    if (error == Error::NoSpace)
        return rest_refusal(429,
                            "too_much_firmware",
                            "This product has 64 firmwares, or this user 128 MiB; delete one");
    if (error == Error::StorageFailed)
        return rest_refusal(507,
                            "storage_failed",
                            "The firmware was not stored: the cloud cannot write, its disk may be "
                            "full; nothing was changed");
    return rest_failure(error);
}

Reply wrong(std::string why) { return rest_refusal(400, "wrong_firmware", std::move(why)); }

// Nothing if it is good for the product under this version.
std::optional<Reply> check(const FirmwareFacts& facts,
                           const model::ProductRecord& product,
                           model::FirmwareVersion version) {
    if (facts.platform && *facts.platform != product.platform)
        return wrong("The firmware is for devices of platform " + std::to_string(*facts.platform) +
                     "; this product is of platform " + std::to_string(product.platform));
    if (facts.product && *facts.product != product.id.value())
        return wrong("The firmware is of product " + std::to_string(*facts.product) +
                     "; this one is " + std::to_string(product.id.value()) +
                     " (PRODUCT_ID in its source)");
    if (facts.version && *facts.version != version)
        return wrong("The firmware says that it is version " + std::to_string(*facts.version) +
                     ", not " + std::to_string(version) + " (PRODUCT_VERSION in its source)");
    return std::nullopt;
}

}  // namespace

json Rest::firmware_json(const Product& product, const FirmwareRecord& firmware) const {
    std::size_t devices = 0;
    for (const auto& [id, device] : product.devices) {
        const services::OpenDevice* const line = devices_.find(id, product.record.account);
        if (line == nullptr || product.member(id) == nullptr) continue;
        const services::DeviceAttributes& attributes = line->attributes();
        if (attributes.product_id == product.record.id.value() &&
            attributes.firmware_version == firmware.version)
            ++devices;
    }
    const ReleaseRecord* const by_default = product.default_release();
    const bool is_default = by_default != nullptr && by_default->version == firmware.version;
    const auto groups = groups_with(product, firmware.version);
    json body{{"version", firmware.version},
              {"title", firmware.title},
              {"description", firmware.description},
              {"name", firmware.file_name},
              {"size", firmware.size},
              {"product_id", product.record.id.value()},
              {"product_default", is_default},
              {"current", is_default},
              {"groups", groups},
              {"device_count", devices},
              {"uploaded_at", to_iso(firmware.uploaded_at.ms)},
              {"uploaded_on", to_iso(firmware.uploaded_at.ms)},
              {"release", json()}};
    const auto last =
        std::find_if(product.releases.rbegin(), product.releases.rend(), [&](const auto& release) {
            return release.version == firmware.version;
        });
    if (last == product.releases.rend()) return body;
    const auto progress = config_.rollouts->progress(last->id);
    body["release"] = {{"status", state_of(product, *last)},
                       {"released_at", to_iso(last->released_at.ms)},
                       {"intelligent", last->is_immediate},
                       {"succeeded", last->succeeded},
                       {"failed", last->failed},
                       {"updating", progress.updating},
                       {"waiting", progress.waiting},
                       {"why", last->why.empty() ? json() : json(last->why)}};
    return body;
}

const FirmwareRecord* Rest::find_firmware(const CallPtr& call) {
    const Product& product = *product_in(call);
    const auto version = version_of(call->places[0]);
    const auto found = version ? product.firmware.find(*version) : product.firmware.end();
    if (found != product.firmware.end()) return &found->second;
    call->done(no_firmware());
    return nullptr;
}

void Rest::list_firmware(const CallPtr& call) {
    const Product& product = *product_in(call);
    json list = json::array();
    for (const auto& [version, firmware] : product.firmware)
        list.push_back(firmware_json(product, firmware));
    call->done(rest_reply(list));
}

void Rest::get_firmware(const CallPtr& call) {
    const FirmwareRecord* const firmware = find_firmware(call);
    if (firmware != nullptr) call->done(rest_reply(firmware_json(*product_in(call), *firmware)));
}

void Rest::upload_firmware(const CallPtr& call) {
    const Product& product = *product_in(call);
    const auto version = version_of(call->field("version"));
    if (!version || call->files.size() != 1)
        return call->done(invalid_request(
            "Send one firmware, as a file, with its version, 0 to 65535, as the field version"));
    const std::string_view content = call->files[0].content;
    const auto facts = config_.read_firmware(as_bytes(content));
    if (!facts) return call->done(wrong(facts.error()));
    if (auto refusal = check(*facts, product.record, *version))
        return call->done(*std::move(refusal));
    FirmwareRecord record{.product = call->product,
                          .version = *version,
                          .title = call->field("title"),
                          .description = call->field("description"),
                          .file_name = plain_file_name(call->files[0].file_name),
                          .size = content.size(),
                          .uploaded_at = config_.now()};
    if (record.title.empty()) record.title = "Version " + std::to_string(*version);
    if (record.title.size() > kDeviceNameSizeMax || record.description.size() > kNotesSizeMax)
        return call->done(invalid_request("A title has 64 bytes at most, a description 1,024"));
    std::vector<std::uint8_t> image{content.begin(), content.end()};
    call->files.clear();
    call->request.body = {};
    store_.add_firmware(
        call->access.account, record, std::move(image), [this, call, record](const Status& added) {
            if (!added) return call->done(firmware_failure(added.error()));
            config_.fleet->put(record);
            audit(*call, "firmware-upload", std::to_string(record.version), "done");
            const Product* const known = product_in(call);
            if (known == nullptr) return call->done(no_product());
            json body = firmware_json(*known, record);
            body["ok"] = true;
            call->done(rest_reply(body, 201));
        });
}

void Rest::get_firmware_binary(const CallPtr& call) {
    const FirmwareRecord* const firmware = find_firmware(call);
    if (firmware == nullptr) return;
    store_.load_firmware(
        call->access.account,
        call->product,
        firmware->version,
        [call, name = firmware->file_name](const Result<std::vector<std::uint8_t>>& image) {
            if (!image) return call->done(firmware_failure(image.error()));
            Reply reply{.status = 200,
                        .body = {image->begin(), image->end()},
                        .type = "application/octet-stream"};
            reply.headers.emplace_back("Content-Disposition",
                                       "attachment; filename=\"" + name + "\"");
            call->done(std::move(reply));
        });
}

void Rest::change_firmware(const CallPtr& call) {
    const FirmwareRecord* const known = find_firmware(call);
    if (known == nullptr) return;
    FirmwareRecord record = *known;
    if (call->body.contains("title")) record.title = call->field("title");
    if (call->body.contains("description")) record.description = call->field("description");
    if (record.title.empty() || record.title.size() > kDeviceNameSizeMax ||
        record.description.size() > kNotesSizeMax)
        return call->done(
            invalid_request("A title has 1 to 64 bytes, a description 1,024 at most"));
    store_.update_firmware(call->access.account, record, [this, call, record](const Status& done) {
        if (!done) return call->done(firmware_failure(done.error()));
        config_.fleet->put(record);
        audit(*call, "firmware-change", std::to_string(record.version), "done");
        call->done(rest_reply(firmware_json(*product_in(call), record)));
    });
}

// Not while devices are to have it.
void Rest::erase_firmware(const CallPtr& call) {
    const FirmwareRecord* const known = find_firmware(call);
    if (known == nullptr) return;
    const model::FirmwareVersion version = known->version;
    const Product& product = *product_in(call);
    const bool is_desired = std::ranges::any_of(product.devices, [&](const auto& entry) {
        return entry.second.desired_version == version;
    });
    const ReleaseRecord* const by_default = product.default_release();
    if (is_desired || (by_default != nullptr && by_default->version == version) ||
        !groups_with(product, version).empty())
        return call->done(rest_refusal(409,
                                       "in_use",
                                       "This firmware is released, or a device is to have it: "
                                       "release another one, or unlock the device"));
    store_.erase_firmware(
        call->access.account, call->product, version, [this, call, version](const Status& erased) {
            if (!erased) return call->done(firmware_failure(erased.error()));
            config_.fleet->erase_firmware(call->product, version);
            audit(*call, "firmware-delete", std::to_string(version), "done");
            call->done(Reply{.status = 204, .body = {}});
        });
}

// To all devices of the product, or to those of some groups.
void Rest::release_firmware(const CallPtr& call) {
    const Product& product = *product_in(call);
    const json given = object_in(*call);
    const auto version = version_of(call->field("version"));
    if (!version || !product.firmware.contains(*version)) return call->done(no_firmware());
    ReleaseRecord release{.product = call->product,
                          .version = *version,
                          .is_default = call->field("product_default") == "true",
                          .is_immediate = call->field("intelligent") == "true",
                          .released_at = config_.now()};
    const json groups = given.value("groups", json::array());
    for (const json& group : groups.is_array() ? groups : json::array({groups})) {
        if (!group.is_string() || !product.groups.contains(group.get<std::string>()))
            return call->done(invalid_request("groups: this product has no group " + group.dump()));
        release.groups.push_back(group.get<std::string>());
    }
    if (!release.is_default && release.groups.empty())
        return call->done(
            invalid_request("Say for whom: product_default for all devices, or groups"));
    store_.add_release(
        call->access.account, release, [this, call](const Result<ReleaseRecord>& added) {
            if (!added) return call->done(rest_failure(added.error()));
            config_.fleet->put(*added);
            config_.rollouts->on_release(*added);
            audit(*call, "firmware-release", std::to_string(added->version), "done");
            const Product* const known = product_in(call);
            if (known == nullptr) return call->done(no_product());
            const auto firmware = known->firmware.find(added->version);
            if (firmware == known->firmware.end()) return call->done(no_firmware());
            json body = firmware_json(*known, firmware->second);
            body["ok"] = true;
            call->done(rest_reply(body));
        });
}

}  // namespace sotto::cloud::http
