// SPDX-License-Identifier: Apache-2.0
// Products and their groups.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_find.hpp"
#include "cloud/http/rest_replies.hpp"
#include "core/framing/text.hpp"

namespace sotto::cloud::http {

using nlohmann::json;
using services::Product;

namespace {

// Letters and digits of a name, with dashes between: what stands for it in a path.
std::string slug_of(std::string_view name) {
    std::string slug;
    for (const char c : lower(std::string{name})) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (is_plain) slug.push_back(c);
        if (!is_plain && !slug.empty() && slug.back() != '-') slug.push_back('-');
    }
    while (slug.ends_with('-')) slug.pop_back();
    const bool is_number = slug.find_first_not_of("0123456789") == std::string::npos;
    return is_number ? "product-" + slug : slug;
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kDeviceNameSizeMax && framing::is_printable_utf8(name);
}

std::string text_in(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

constexpr std::int32_t kNone = -1;
constexpr std::int32_t kWrong = -2;

// Up to 65,535; or kNone, or kWrong.
std::int32_t number_in(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return kNone;
    const json number =
        found->is_string() ? json::parse(found->get<std::string>(), nullptr, false) : json(*found);
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > 0xffff) return kWrong;
    return number.get<std::int32_t>();
}

json product_json(const Product& product, const std::string& user) {
    const model::ProductRecord& record = product.record;
    json groups = json::array();
    for (const auto& [name, group] : product.groups) groups.push_back(name);
    const auto members = std::ranges::count_if(product.devices, [](const auto& entry) {
        return entry.second.membership == model::Membership::Member;
    });
    const model::ReleaseRecord* const release = product.default_release();
    return {{"id", record.id.value()},
            {"platform_id", record.platform},
            {"name", record.name},
            {"slug", record.slug},
            {"description", record.description},
            {"user", user},
            {"groups", groups},
            {"settings", {{"quarantine", true}}},
            {"device_count", members},
            {"quarantined_count", product.devices.size() - static_cast<std::size_t>(members)},
            {"default_firmware_version", release == nullptr ? json() : json(release->version)},
            {"created_at", to_iso(record.created_at.ms)}};
}

Reply product_failure(Error error) {
    if (error == Error::AlreadyExists)
        return rest_refusal(
            409, "already_exists", "This number, or this slug, is that of another product already");
    if (error == Error::NoSpace)
        return rest_refusal(429, "too_many_products", "This user has 64 products");
    return rest_failure(error);
}

}  // namespace

const Product* Rest::product_in(const CallPtr& call) {
    const Product* const product =
        config_.fleet != nullptr ? config_.fleet->find(call->product) : nullptr;
    const bool is_own = product != nullptr && product->record.account == call->access.account;
    return is_own ? product : nullptr;
}

// The one that the first place names, where the token reaches it.
bool Rest::take_product(const CallPtr& call) const {
    const Product* const product = config_.fleet != nullptr
                                       ? config_.fleet->find(call->access.account, call->places[0])
                                       : nullptr;
    if (product == nullptr) return false;
    const std::uint16_t only = call->access.product;
    if (only != 0 && only != product->record.id.value()) return false;
    call->product = product->record.id;
    call->places.erase(call->places.begin());
    return true;
}

void Rest::list_products(const CallPtr& call) {
    json list = json::array();
    if (config_.fleet != nullptr) {
        for (const Product* const product : config_.fleet->list(call->access.account))
            list.push_back(product_json(*product, call->access.user));
    }
    call->done(rest_reply({{"products", list}}));
}

void Rest::get_product(const CallPtr& call) {
    call->done(rest_reply({{"product", product_json(*product_in(call), call->access.user)}}));
}

// A device of no product says the number of its platform, and clients ask for that.
void Rest::get_product_or_platform(const CallPtr& call) {
    const std::string& name = call->places[0];
    const bool is_number = !name.empty() && name.size() <= 3 &&
                           name.find_first_not_of("0123456789") == std::string::npos;
    if (is_number && std::stoi(name) < services::Fleet::kProductIdMin)
        return call->done(rest_reply({{"product", nullptr}}));
    in_product<&Rest::get_product>(call);
}

void Rest::create_product(const CallPtr& call) {
    if (config_.fleet == nullptr)
        return call->done(rest_refusal(501, "not_implemented", "There are no products here"));
    json given = object_in(*call);
    if (given.contains("product") && given["product"].is_object()) given = json(given["product"]);
    const std::int32_t platform = number_in(given, "platform_id");
    const std::int32_t id = number_in(given, "id");
    model::ProductRecord record{.account = call->access.account,
                                .name = text_in(given, "name"),
                                .description = text_in(given, "description"),
                                .created_at = config_.now()};
    record.slug = slug_of(record.name);
    if (!is_name(record.name) || slug_of(record.name).empty())
        return call->done(invalid_request("name: a product has one of 1 to 64 characters"));
    if (record.description.size() > kNotesSizeMax)
        return call->done(invalid_request("description: it has 1,024 bytes at most"));
    if (platform < 0)
        return call->done(invalid_request(
            "platform_id: the number of the platform that its devices are of, 103 for example"));
    record.platform = static_cast<std::uint16_t>(platform);
    const bool is_id = id == kNone || id >= services::Fleet::kProductIdMin;
    if (!is_id)
        return call->done(invalid_request(
            "id: the number that its firmware says (PRODUCT_ID), 256 to 65535; what is below are "
            "platforms. Without one the cloud chooses"));
    const auto free_id = config_.fleet->free_id();
    if (id == kNone && !free_id)
        return call->done(rest_refusal(503, "busy", "There are no numbers for products left"));
    record.id = id == kNone ? *free_id : model::ProductId{static_cast<std::uint16_t>(id)};
    store_.add_product(record, [this, call, record](const Status& added) {
        if (!added) return call->done(product_failure(added.error()));
        config_.fleet->put(record);
        call->product = record.id;
        audit(*call, "product-create", std::to_string(record.id.value()), "done");
        call->done(rest_reply(
            {{"ok", true}, {"product", product_json(*product_in(call), call->access.user)}}, 201));
    });
}

void Rest::change_product(const CallPtr& call) {
    json given = object_in(*call);
    if (given.contains("product") && given["product"].is_object()) given = json(given["product"]);
    model::ProductRecord record = product_in(call)->record;
    if (given.contains("name")) record.name = text_in(given, "name");
    if (given.contains("description")) record.description = text_in(given, "description");
    if (given.contains("slug")) record.slug = text_in(given, "slug");
    if (!is_name(record.name) || record.slug.empty() || record.slug != slug_of(record.slug) ||
        record.description.size() > kNotesSizeMax)
        return call->done(invalid_request(
            "A name has 1 to 64 characters, a slug lower-case letters, digits and dashes, a "
            "description 1,024 bytes at most"));
    store_.update_product(record, [this, call, record](const Status& updated) {
        if (!updated) return call->done(product_failure(updated.error()));
        config_.fleet->put(record);
        audit(*call, "product-change", std::to_string(record.id.value()), "done");
        call->done(rest_reply(
            {{"ok", true}, {"product", product_json(*product_in(call), call->access.user)}}));
    });
}

// Its devices stay their user's.
void Rest::erase_product(const CallPtr& call) {
    store_.erase_product(call->access.account, call->product, [this, call](const Status& erased) {
        if (!erased) return call->done(product_failure(erased.error()));
        if (config_.hooks != nullptr) {
            for (const hooks::KnownHook* const known : config_.hooks->list(call->access.account)) {
                if (known->hook.product == call->product.value())
                    config_.hooks->erase_hook(call->access.account, model::HookId{known->hook.id});
            }
        }
        config_.fleet->erase(call->product);
        audit(*call, "product-delete", std::to_string(call->product.value()), "done");
        call->done(Reply{.status = 204, .body = {}});
    });
}

void Rest::list_orgs(const CallPtr& call) {
    call->done(rest_reply({{"organizations", json::array()}}));
}

// Groups.

namespace {

bool is_group_name(std::string_view name) {
    return is_name(name) && name.find(',') == std::string_view::npos;
}

json group_json(const Product& product, const model::GroupRecord& group) {
    const auto count = std::ranges::count_if(product.devices, [&](const auto& entry) {
        return std::ranges::find(entry.second.groups, group.name) != entry.second.groups.end();
    });
    return {{"name", group.name},
            {"description", group.description},
            {"color", group.color},
            {"device_count", count},
            {"created_at", to_iso(group.created_at.ms)}};
}

Reply no_group() { return rest_refusal(404, "not_found", "This product has no such group"); }

Reply group_failure(Error error) {
    if (error == Error::NotFound) return no_group();
    if (error == Error::AlreadyExists)
        return rest_refusal(409, "already_exists", "There is a group of this name already");
    if (error == Error::NoSpace)
        return rest_refusal(429, "too_many_groups", "This product has 256 groups");
    return rest_failure(error);
}

Result<model::GroupRecord, Reply> group_of(const Call& call, model::GroupRecord group) {
    const json given = object_in(call);
    if (given.contains("name")) group.name = text_in(given, "name");
    if (given.contains("description")) group.description = text_in(given, "description");
    if (given.contains("color")) group.color = text_in(given, "color");
    if (!is_group_name(group.name) || group.description.size() > kNotesSizeMax ||
        group.color.size() > kDeviceNameSizeMax)
        return invalid_request(
            "name: a group has one of 1 to 64 characters without a comma; its description has "
            "1,024 bytes at most");
    return group;
}

}  // namespace

void Rest::list_groups(const CallPtr& call) {
    const Product& product = *product_in(call);
    json list = json::array();
    for (const auto& [name, group] : product.groups) list.push_back(group_json(product, group));
    call->done(rest_reply({{"groups", list}}));
}

void Rest::get_group(const CallPtr& call) {
    const Product& product = *product_in(call);
    const auto found = product.groups.find(call->places[0]);
    if (found == product.groups.end()) return call->done(no_group());
    call->done(rest_reply({{"group", group_json(product, found->second)}}));
}

void Rest::create_group(const CallPtr& call) {
    const auto group = group_of(*call, {.product = call->product, .created_at = config_.now()});
    if (!group) return call->done(Reply{group.error()});
    store_.add_group(
        call->access.account, *group, [this, call, group = *group](const Status& done) {
            if (!done) return call->done(group_failure(done.error()));
            config_.fleet->put(group);
            audit(*call, "group-create", group.name, "done");
            call->done(
                rest_reply({{"ok", true}, {"group", group_json(*product_in(call), group)}}, 201));
        });
}

void Rest::change_group(const CallPtr& call) {
    const Product& product = *product_in(call);
    const auto found = product.groups.find(call->places[0]);
    if (found == product.groups.end()) return call->done(no_group());
    const auto group = group_of(*call, found->second);
    if (!group) return call->done(Reply{group.error()});
    store_.update_group(
        call->access.account,
        call->places[0],
        *group,
        [this, call, group = *group](const Status& done) {
            if (!done) return call->done(group_failure(done.error()));
            config_.fleet->rename_group(call->product, call->places[0], group.name);
            config_.fleet->put(group);
            audit(*call, "group-change", group.name, "done");
            call->done(rest_reply({{"ok", true}, {"group", group_json(*product_in(call), group)}}));
        });
}

void Rest::erase_group(const CallPtr& call) {
    const std::string name = call->places[0];
    store_.erase_group(
        call->access.account, call->product, name, [this, call, name](const Status& done) {
            if (!done) return call->done(group_failure(done.error()));
            config_.fleet->rename_group(call->product, name, {});
            audit(*call, "group-delete", name, "done");
            call->done(Reply{.status = 204, .body = {}});
        });
}

// How many devices a release for these groups, or for all, would reach, and how many of them have
// another version now.
void Rest::get_impact(const CallPtr& call) {
    const Product& product = *product_in(call);
    const std::string wanted = call->field("groups");
    const std::string version = call->field("version");
    std::size_t devices = 0;
    std::size_t locked = 0;
    for (const auto& [id, device] : product.devices) {
        if (device.membership != model::Membership::Member || device.is_development) continue;
        const bool is_in =
            wanted.empty() || std::ranges::any_of(device.groups, [&](const auto& name) {
                return ("," + wanted + ",").find("," + name + ",") != std::string::npos;
            });
        if (!is_in) continue;
        ++devices;
        if (device.desired_version) ++locked;
    }
    call->done(rest_reply({{"devices", devices},
                           {"locked", locked},
                           {"version", version.empty() ? json() : json(version)}}));
}

}  // namespace sotto::cloud::http
