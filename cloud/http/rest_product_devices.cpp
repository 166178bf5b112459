// SPDX-License-Identifier: Apache-2.0
// The devices of a product.
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_find.hpp"
#include "cloud/http/rest_replies.hpp"
#include "core/base/hex.hpp"
#include "core/framing/text.hpp"

namespace sotto::cloud::http {

using model::Membership;
using model::ProductDevice;
using nlohmann::json;
using services::Product;

namespace {

using Records = std::map<model::DeviceId, model::OpenDeviceRecord>;

std::vector<std::string> split(std::string_view text, std::string_view by) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find_first_of(by));
        if (!part.empty()) parts.emplace_back(part);
        text.remove_prefix(std::min(part.size() + 1, text.size()));
    }
    return parts;
}

std::size_t number_of(const std::string& text, std::size_t otherwise, std::size_t max) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || number == 0)
        return otherwise;
    return std::min(number, max);
}

// A device of the list, with what its user has of it; null where it is nobody's, or another user's.
struct Entry {
    const ProductDevice* device;
    const model::OpenDeviceRecord* record;
};

const std::string& name_of(const Entry& entry) {
    static const std::string none;
    return entry.record == nullptr ? none : entry.record->name;
}

bool is_wanted(const Call& call, const Entry& entry, const std::vector<std::string>& groups) {
    const std::string id = lower(call.field("deviceId"));
    if (!id.empty() && !to_hex<std::string>(entry.device->device).starts_with(id)) return false;
    const std::string name = lower(call.field("deviceName"));
    if (!name.empty() && lower(name_of(entry)).find(name) == std::string::npos) return false;
    const std::string quarantined = call.field("quarantined");
    const bool is_quarantined = entry.device->membership == Membership::Quarantined;
    if (quarantined == "true" && !is_quarantined) return false;
    if (quarantined == "false" && is_quarantined) return false;
    return groups.empty() || std::ranges::any_of(groups, [&](const std::string& group) {
               const auto& has = entry.device->groups;
               return std::ranges::find(has, group) != has.end();
           });
}

void sort(std::vector<Entry>& entries, const std::string& by, bool is_descending) {
    const auto is_before = [&](const Entry& a, const Entry& b) {
        const auto key = [&](const Entry& entry) {
            const bool is_known = entry.record != nullptr;
            const std::int64_t number = !is_known ? -1
                                        : by == "firmwareVersion"
                                            ? std::int64_t{entry.record->traces.firmware_version}
                                            : entry.record->traces.connected_at.ms;
            return std::pair{by == "deviceId" ? 0 : number, entry.device->device};
        };
        if (by == "deviceName")
            return std::pair{name_of(a), a.device->device} <
                   std::pair{name_of(b), b.device->device};
        return key(a) < key(b);
    };
    std::ranges::sort(entries, is_before);
    if (is_descending) std::ranges::reverse(entries);
}

}  // namespace

json Rest::product_device(const Call& call,
                          const Product& product,
                          const ProductDevice& device,
                          const model::OpenDeviceRecord* record) const {
    model::OpenDeviceRecord unknown;
    unknown.device = device.device;
    const services::OpenDevice* const line = devices_.find(device.device, call.access.account);
    json body = device_summary(record != nullptr ? *record : unknown, line);
    const auto target = target_of(product, device);
    body["firmware_product_id"] = body["product_id"];
    body["product_id"] = product.record.id.value();
    body["owner"] = record != nullptr ? json(call.access.user) : json();
    body["quarantined"] = device.membership == Membership::Quarantined;
    body["denied"] = device.membership == Membership::Denied;
    body["development"] = device.is_development;
    body["groups"] = device.groups;
    body["desired_firmware_version"] =
        device.desired_version ? json(*device.desired_version) : json();
    body["targeted_firmware_release_version"] = target ? json(target->version) : json();
    if (device.trouble.failures > 0)
        body["update_trouble"] = {{"version", device.trouble.version},
                                  {"failures", device.trouble.failures},
                                  {"retry_at", time_of(device.trouble.retry_at)},
                                  {"why", device.trouble.why}};
    return body;
}

void Rest::list_product_devices(const CallPtr& call) {
    store_.list_open_devices(
        call->access.account,
        [this, call](const Result<std::vector<model::OpenDeviceRecord>>& list) {
            if (!list) return call->done(rest_failure(list.error()));
            const Product* const product = product_in(call);
            if (product == nullptr) return call->done(no_product());
            Records records;
            for (const model::OpenDeviceRecord& record : *list)
                records.emplace(record.device, record);
            const auto groups = split(call->field("groups"), ",");
            std::vector<Entry> entries;
            for (const auto& [id, device] : product->devices) {
                const auto record = records.find(id);
                const Entry entry{.device = &device,
                                  .record = record == records.end() ? nullptr : &record->second};
                if (is_wanted(*call, entry, groups)) entries.push_back(entry);
            }
            const std::string by = call->field("sortAttr");
            sort(entries, by.empty() ? "deviceId" : by, call->field("sortDir") == "desc");
            const std::size_t per_page = number_of(call->field("per_page"), 25, kPageSizeMax);
            const std::size_t pages =
                std::max<std::size_t>(1, (entries.size() + per_page - 1) / per_page);
            const std::size_t page = number_of(call->field("page"), 1, pages + 1);
            json shown = json::array();
            for (std::size_t i = (page - 1) * per_page;
                 i < std::min(page * per_page, entries.size());
                 ++i)
                shown.push_back(
                    product_device(*call, *product, *entries[i].device, entries[i].record));
            call->done(rest_reply({{"devices", shown},
                                   {"customers", json::array()},
                                   {"meta",
                                    {{"page", page},
                                     {"per_page", per_page},
                                     {"total_pages", pages},
                                     {"total", entries.size()},
                                     {"total_records", entries.size()}}}}));
        });
}

void Rest::get_product_device(const CallPtr& call) {
    find_member(call, [this, call](const model::DeviceId& id) {
        store_.find_open_device(
            id, [this, call, id](const Result<std::optional<model::OpenDeviceRecord>>& record) {
                if (!record) return call->done(rest_failure(record.error()));
                const Product* const product = product_in(call);
                const auto device = product == nullptr ? decltype(product->devices.find(id)){}
                                                       : product->devices.find(id);
                if (product == nullptr || device == product->devices.end())
                    return call->done(no_member());
                const bool is_own = *record && (*record)->account == call->access.account;
                json body =
                    product_device(*call, *product, device->second, is_own ? &**record : nullptr);
                body["functions"] = json::array();
                body["variables"] = json::object();
                const services::OpenDevice* const line = devices_.find(id, call->access.account);
                if (line != nullptr) {
                    const services::DeviceAttributes& attributes = line->attributes();
                    body["functions"] = attributes.functions;
                    for (const auto& [name, type] : attributes.variables)
                        body["variables"][name] = name_of(type);
                }
                call->done(rest_reply(body));
            });
    });
}

// What an import comes to, while the store is asked about some at a time.
struct Import {
    std::vector<std::string> ids{};
    std::size_t next = 0;
    std::size_t active = 0;
    json updated = json::array();
    json invalid = json::array();
    json foreign = json::array();
    std::optional<Error> failure{};
};

// By id, a list of ids, or a file with an id in each line. A quarantined or denied device that is
// named so is approved.
void Rest::import_devices(const CallPtr& call) {
    const auto import = std::make_shared<Import>();
    for (const Part& file : call->files) {
        for (std::string& id : split(file.content, "\r\n, \t"))
            import->ids.push_back(std::move(id));
    }
    const json given = object_in(*call);
    if (const auto ids = given.find("ids"); ids != given.end() && ids->is_array()) {
        for (const json& id : *ids)
            import->ids.push_back(id.is_string() ? id.get<std::string>() : id.dump());
    }
    if (const std::string id = call->field("id"); !id.empty()) import->ids.push_back(id);
    call->files.clear();
    call->request.body = {};
    if (import->ids.empty())
        return call->done(invalid_request(
            "Give one device as id, several as ids, or a file with an id in each line"));
    if (import->ids.size() > kImportMax)
        return call->done(invalid_request("Of a list 4,096 devices are taken at a time"));
    import_more(call, import);
}

void Rest::import_more(const CallPtr& call, const std::shared_ptr<Import>& import) {
    constexpr std::size_t kAtOnce = 64;  // so that they share what a write to the disk costs
    while (import->next < import->ids.size() && import->active < kAtOnce && !import->failure) {
        const std::string& text = import->ids[import->next++];
        model::DeviceId id{};
        if (from_hex(text, id)) {
            ++import->active;
            import_one(call, import, id);
        } else {
            import->invalid.push_back(text);
        }
    }
    if (import->active > 0) return;
    if (import->failure == Error::NoSpace)
        return call->done(rest_refusal(
            429, "too_many_devices", "A product has 4,096 devices; those that fit were added"));
    if (import->failure) return call->done(rest_failure(*import->failure));
    audit(*call,
          "product-import",
          std::to_string(call->product.value()) + ": " + std::to_string(import->updated.size()),
          "done");
    call->done(rest_reply({{"ok", true},
                           {"updated", import->updated.size()},
                           {"updatedDeviceIds", import->updated},
                           {"invalidDeviceIds", import->invalid},
                           {"nonmemberDeviceIds", import->foreign}}));
}

void Rest::import_one(const CallPtr& call,
                      const std::shared_ptr<Import>& import,
                      const model::DeviceId& id) {
    const std::string text = to_hex<std::string>(id);
    store_.find_open_device(
        id,
        [this, call, import, id, text](
            const Result<std::optional<model::OpenDeviceRecord>>& record) {
            const auto end = [this, call, import, text](json* list, std::optional<Error> failure) {
                if (list != nullptr) list->push_back(text);
                if (failure) import->failure = failure;
                --import->active;
                import_more(call, import);
            };
            if (!record) return end(nullptr, record.error());
            if (*record && (*record)->account != call->access.account)
                return end(&import->foreign, {});
            store_.add_product_device(
                call->access.account,
                {.product = call->product, .device = id, .added_at = config_.now()},
                [this, call, import, id, end](const Result<ProductDevice>& added) {
                    // It is in the list of another product.
                    if (!added && added.error() == Error::Refused) return end(&import->invalid, {});
                    if (!added) return end(nullptr, added.error());
                    config_.fleet->put(*added);
                    config_.admission->admit(id, call->product, devices_);
                    on_target_changed(*call, id);
                    end(&import->updated, {});
                });
        });
}

void Rest::on_target_changed(const Call& call, const model::DeviceId& device, bool is_now) {
    config_.rollouts->on_changed(device, call.access.account, is_now);
}

namespace {

// What is said of the device in the product. A sentence for its user if it cannot be.
Result<model::ProductDeviceChanges, std::string> changes_in(const json& given,
                                                            const Product& product) {
    model::ProductDeviceChanges changes;
    const auto truth = [&given](const char* name) {
        const json& value = given[name];
        return value == true || value == "true" || value == 1 || value == "1";
    };
    if (given.contains("development")) changes.is_development = truth("development");
    if (given.contains("quarantined") && !truth("quarantined"))
        changes.membership = Membership::Member;
    if (given.contains("approve") && truth("approve")) changes.membership = Membership::Member;
    if (const auto found = given.find("desired_firmware_version"); found != given.end()) {
        const json version = found->is_string()
                                 ? json::parse(found->get<std::string>(), nullptr, false)
                                 : json(*found);
        const bool is_number = version.is_number_unsigned() &&
                               version.get<std::uint64_t>() <= 0xffff &&
                               product.firmware.contains(version.get<std::uint16_t>());
        if (!version.is_null() && !is_number)
            return std::string{"desired_firmware_version: this product has no such firmware"};
        changes.desired_version.emplace();
        if (is_number) *changes.desired_version = version.get<std::uint16_t>();
        changes.trouble.emplace();
    }
    if (const auto found = given.find("groups"); found != given.end()) {
        changes.groups.emplace();
        const json groups =
            found->is_string() ? json(split(found->get<std::string>(), ",")) : *found;
        if (!groups.is_array()) return std::string{"groups: a list of names"};
        for (const json& group : groups) {
            if (!group.is_string() || !product.groups.contains(group.get<std::string>()))
                return "groups: this product has no group " + group.dump();
            const auto name = group.get<std::string>();
            if (std::ranges::find(*changes.groups, name) == changes.groups->end())
                changes.groups->push_back(name);
        }
    }
    return changes;
}

bool is_empty(const model::ProductDeviceChanges& changes) {
    return !changes.membership && !changes.is_development && !changes.desired_version &&
           !changes.groups;
}

}  // namespace

void Rest::change_product_device(const CallPtr& call) {
    find_member(call, [this, call](const model::DeviceId& id) {
        const Product* const product = product_in(call);
        call->places[0] = to_hex<std::string>(id);
        const bool is_member = product->member(id) != nullptr;
        if (!call->files.empty() || call->body.contains("signal"))
            return is_member ? change_device(call) : call->done(no_member());
        const auto changes = changes_in(object_in(*call), *product);
        if (!changes) return call->done(invalid_request(changes.error()));
        const bool is_named = call->body.contains("name") || call->body.contains("notes");
        if (is_empty(*changes))
            return is_member && is_named
                       ? change_device(call)
                       : call->done(invalid_request(
                             "What can be changed: name, notes, signal, development, "
                             "desired_firmware_version, flash, groups, quarantined"));
        if (!is_member && changes->membership != Membership::Member) return call->done(no_member());
        save_product_device(call, id, *changes);
    });
}

// The name and notes after that, as of any device of the user.
void Rest::save_product_device(const CallPtr& call,
                               const model::DeviceId& id,
                               model::ProductDeviceChanges changes) {
    store_.update_product_device(
        call->access.account,
        call->product,
        id,
        std::move(changes),
        [this, call, id](const Result<ProductDevice>& changed) {
            if (!changed) return call->done(rest_failure(changed.error()));
            config_.fleet->put(*changed);
            config_.admission->admit(id, call->product, devices_);
            const bool is_now = call->field("flash") == "true" && changed->desired_version;
            on_target_changed(*call, id, is_now);
            audit(*call, "product-device", to_hex<std::string>(id), "done");
            if (call->body.contains("name") || call->body.contains("notes"))
                return change_device(call);
            const Product* const product = product_in(call);
            if (product == nullptr) return call->done(no_product());
            const auto target = target_of(*product, *changed);
            call->done(rest_reply(
                {{"id", to_hex<std::string>(id)},
                 {"ok", true},
                 {"development", changed->is_development},
                 {"groups", changed->groups},
                 {"quarantined", changed->membership == Membership::Quarantined},
                 {"desired_firmware_version",
                  changed->desired_version ? json(*changed->desired_version) : json()},
                 {"targeted_firmware_release_version", target ? json(target->version) : json()},
                 {"updated_at", to_iso(config_.now().ms)}}));
        });
}

// Out of the list; with deny it is remembered that it is not of this product.
void Rest::remove_product_device(const CallPtr& call) {
    find_member(call, [this, call](const model::DeviceId& id) {
        const auto finish = [this, call, id](const Status& done) {
            if (!done) return call->done(rest_failure(done.error()));
            audit(*call, "product-remove", to_hex<std::string>(id), "done");
            call->done(Reply{.status = 204, .body = {}});
        };
        if (call->field("deny") == "true") {
            return store_.update_product_device(
                call->access.account,
                call->product,
                id,
                {.membership = Membership::Denied},
                [this, finish](const Result<ProductDevice>& changed) {
                    if (changed) config_.fleet->put(*changed);
                    finish(changed ? Status{} : Status{changed.error()});
                });
        }
        store_.erase_product_device(call->access.account,
                                    call->product,
                                    id,
                                    [this, call, id, finish](const Status& erased) {
                                        if (erased) config_.fleet->erase_device(call->product, id);
                                        finish(erased);
                                    });
    });
}

}  // namespace sotto::cloud::http
