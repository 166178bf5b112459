// SPDX-License-Identifier: Apache-2.0
#include "cloud/migration/spark_server.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "cloud/hooks/hook.hpp"
#include "cloud/migration/limits.hpp"
#include "cloud/store/limits.hpp"
#include "core/base/hex.hpp"
#include "core/framing/text.hpp"

namespace sotto::cloud::migration {

using nlohmann::json;

namespace {

constexpr const char* kClient = "spark-server";  // whom its tokens were given to is not kept there
constexpr Duration kTokenLifeMax = days(3'650);

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kUserNameSizeMax && framing::is_printable_utf8(name);
}

std::optional<model::DeviceId> device_in(const json& document) {
    model::DeviceId device{};
    if (from_hex(text_in(document, "deviceID"), device)) return device;
    return std::nullopt;
}

std::uint16_t number_in(const json& document, const char* name) {
    const auto found = document.find(name);
    if (found == document.end() || !found->is_number_unsigned()) return 0;
    const auto value = found->get<std::uint64_t>();
    return value > 0xffff ? std::uint16_t{0} : static_cast<std::uint16_t>(value);
}

// What can be shown of a text of strangers.
std::string shown(const std::string& text) {
    return is_name(text) ? text : "(" + std::to_string(text.size()) + " bytes)";
}

class Translation {
  public:
    explicit Translation(const SparkServerTools& tools) : tools_(tools) {
        result_.arrivals.now = tools.now;
    }

    Result<void, Complaint> take_users(const std::vector<json>& documents) {
        std::set<std::string> names_there;
        std::set<std::string> names_here;
        for (const json& document : documents) {
            const std::string there = text_in(document, "username");
            if (!names_there.insert(there).second) {
                remark("user", shown(there), "left out: there is another of this name before");
                continue;
            }
            const auto named = tools_.names.find(there);
            const bool is_named = named != tools_.names.end();
            const std::string here = is_named ? named->second : there;
            if (!is_name(here)) {
                remark("user",
                       shown(there),
                       "left out: a name has 1 to 64 printable characters; give it another one "
                       "with --user");
                continue;
            }
            if (!names_here.insert(here).second)
                return Complaint{"two users of that server would be the account " + here +
                                 " here; see --user"};
            places_.emplace(text_in(document, "_id"), result_.arrivals.users.size());
            result_.arrivals.users.push_back({.name = here,
                                              .password = {},
                                              .is_same_as_here = is_named,
                                              .tokens = tokens_in(document, there)});
            result_.passwords.push_back(
                {text_in(document, "salt"), text_in(document, "passwordHash")});
        }
        if (result_.arrivals.users.size() > kUsersMax)
            return Complaint{"there are more than 1,024 users"};
        for (const auto& [there, here] : tools_.names) {
            if (!names_there.contains(there))
                return Complaint{"--user " + there + "=" + here + ": there is no such user"};
        }
        return {};
    }

    // Of several documents for one device the last counts, unless they name several owners.
    void take_devices(const std::vector<json>& documents) {
        std::map<model::DeviceId, const json*> devices;
        std::set<model::DeviceId> contested;
        for (const json& document : documents) {
            const auto id = device_in(document);
            if (!id) {
                remark("device", shown(text_in(document, "deviceID")), "left out: that is no id");
                continue;
            }
            const auto [known, is_new] = devices.emplace(*id, &document);
            if (is_new) continue;
            if (text_in(*known->second, "ownerID") != text_in(document, "ownerID"))
                contested.insert(*id);
            known->second = &document;
        }
        for (const auto& [id, document] : devices) {
            if (contested.contains(id)) {
                remark("device", to_hex<std::string>(id), "left out: it has several owners there");
            } else {
                take_device(id, *document);
            }
        }
    }

    void take_keys(const std::vector<json>& documents) {
        std::map<model::DeviceId, std::vector<std::uint8_t>> keys;
        std::set<model::DeviceId> contested;
        for (const json& document : documents) {
            const auto id = device_in(document);
            if (!id) {
                remark("key", shown(text_in(document, "deviceID")), "left out: that is no id");
                continue;
            }
            const auto key = tools_.read_device_key(text_in(document, "key"));
            if (!key) {
                remark("key",
                       to_hex<std::string>(*id),
                       text_in(document, "algorithm") == "ecc"
                           ? "left out: keys of devices on UDP are of no use here"
                           : "left out: it is no RSA key of 1024 bits of a device");
                continue;
            }
            const auto [known, is_new] = keys.emplace(*id, *key);
            if (!is_new && known->second != *key) contested.insert(*id);
        }
        for (auto& [id, key] : keys) {
            if (contested.contains(id)) {
                remark("key", to_hex<std::string>(id), "left out: there are several for it");
            } else {
                result_.arrivals.keys.push_back({id, std::move(key), tools_.now});
            }
        }
    }

    void take_hooks(const std::vector<json>& documents) {
        // By their users, in whose places their names stand.
        std::vector<std::vector<HookName>> names(result_.arrivals.users.size());
        for (const json& document : documents) {
            const std::string name = shown(text_in(document, "event"));
            const auto owner = places_.find(text_in(document, "ownerID"));
            if (owner == places_.end()) {
                remark("webhook", name, "left out: its user does not come");
                continue;
            }
            if (const auto hook = hook_in(document, name)) {
                result_.arrivals.users[owner->second].hooks.push_back(hook->first);
                names[owner->second].push_back({name, hook->second});
            }
        }
        for (auto& of_user : names) {
            std::ranges::move(of_user, std::back_inserter(result_.hook_names));
        }
    }

    void take_damage(const char* file, const Collection& collection) {
        if (collection.damaged_count == 0) return;
        remark("file",
               file,
               std::to_string(collection.damaged_count) +
                   (collection.is_cut ? " damaged lines left out; the last one was cut off, as by "
                                        "a power cut"
                                      : " damaged lines left out"));
    }

    void remark(std::string what, std::string name, std::string why) {
        result_.remarks.push_back({std::move(what), std::move(name), std::move(why)});
    }
    SparkServer result() && { return std::move(result_); }

  private:
    // Those that are good for a while, at most as many as an account has: the last ones to expire.
    std::vector<model::Token> tokens_in(const json& document, const std::string& user) {
        std::size_t expired = 0;
        std::size_t endless = 0;
        std::map<model::TokenHash, model::Token> tokens;
        for (const json& given : document.value("accessTokens", json::array())) {
            if (!given.is_object()) continue;
            const std::string text = text_in(given, "accessToken");
            const Instant end{date_in(given, "accessTokenExpiresAt")};
            if (text.empty() || end <= tools_.now) {
                ++expired;
            } else if (end > tools_.now + kTokenLifeMax) {
                ++endless;
            } else {
                const model::TokenHash hash = tools_.hash(text);
                tokens[hash] = {.hash = hash,
                                .kind = model::TokenKind::Access,
                                .account = {},
                                .name = to_hex<std::string>(Bytes{hash.bytes}.first(8)),
                                .client = kClient,
                                .scopes = model::kAllScopes,
                                .expires_at = end};
            }
        }
        if (expired > 0)
            remark("tokens", shown(user), std::to_string(expired) + " left out: they have expired");
        if (endless > 0)
            remark("tokens",
                   shown(user),
                   std::to_string(endless) +
                       " left out: good for centuries, and that server writes them into its log");
        std::vector<model::Token> list;
        for (auto& [hash, token] : tokens) list.push_back(std::move(token));
        std::ranges::sort(list, [](const model::Token& a, const model::Token& b) {
            return a.expires_at > b.expires_at;
        });
        if (list.size() > store::kTokensPerAccountMax) {
            remark("tokens", shown(user), "the last 256 to expire come, the others do not");
            list.resize(store::kTokensPerAccountMax);
        }
        return list;
    }

    void take_device(const model::DeviceId& id, const json& document) {
        const std::string text = to_hex<std::string>(id);
        const std::string owner = text_in(document, "ownerID");
        if (owner.empty()) return remark("device", text, "left out: nobody owns it there");
        const auto user = places_.find(owner);
        if (user == places_.end())
            return remark("device", text, "left out: its user does not come");
        std::string name = text_in(document, "name");
        if (name.size() > kDeviceNameSizeMax || !framing::is_printable_utf8(name)) {
            remark("device", text, "comes without its name, which is too long or not printable");
            name.clear();
        }
        std::string address = text_in(document, "ip");
        if (address.starts_with("::ffff:")) address = address.substr(7);
        if (address.size() > 64 || !framing::is_visible_ascii(address)) address.clear();
        result_.arrivals.users[user->second].devices.push_back(
            {.device = id,
             .account = {},
             .name = name,
             .notes = {},
             .claimed_at = tools_.now,
             .traces = {.heard_at = Instant{date_in(document, "lastHeard")},
                        .connected_at = {},
                        .address = address,
                        .platform_id = number_in(document, "platformId"),
                        .product_id = number_in(document, "particleProductId"),
                        .firmware_version = number_in(document, "productFirmwareVersion"),
                        .system_version = {}}});
        const std::uint16_t platform = number_in(document, "platformId");
        if (number_in(document, "particleProductId") != platform)
            remark("device", text, "comes without its product");
    }

    // With the host that it calls.
    std::optional<std::pair<model::HookRecord, std::string>> hook_in(const json& document,
                                                                     const std::string& name) {
        if (document.contains("productIdOrSlug") && !document["productIdOrSlug"].is_null()) {
            remark("webhook", name, "left out: it is a product's");
            return std::nullopt;
        }
        const json definition = hooks::merge_definition(document, json::object());
        const auto hook = hooks::parse_hook(definition);
        if (!hook) {
            remark("webhook", name, "left out: " + hook.error().text);
            return std::nullopt;
        }
        model::HookRecord record{
            .definition = definition.dump(-1, ' ', true, json::error_handler_t::replace),
            .created_at = tools_.now,
            .updated_at = tools_.now};
        // Always the same, so that it is known when it comes again.
        const auto hash = tools_.hash("spark-server webhook " + text_in(document, "_id"));
        std::copy_n(hash.bytes.begin(), record.id.bytes.size(), record.id.bytes.begin());
        return std::pair{record, hook->origin.host};
    }

    const SparkServerTools& tools_;
    SparkServer result_;
    std::map<std::string, std::size_t> places_;  // of users, by their _id there
};

}  // namespace

Result<SparkServer, Complaint> read_spark_server(const SparkServerFiles& files,
                                                 const SparkServerTools& tools) {
    Translation translation{tools};
    const auto read = [&translation](const char* name,
                                     const std::string& file) -> Result<Collection, Complaint> {
        auto collection = read_collection(file);
        if (!collection) return Complaint{std::string{name} + ": " + collection.error().text};
        translation.take_damage(name, *collection);
        return *std::move(collection);
    };
    SOTTO_TRY_ASSIGN(const Collection users, read("users.db", files.users));
    SOTTO_TRY_ASSIGN(const Collection devices,
                     read("deviceAttributes.db", files.device_attributes));
    SOTTO_TRY_ASSIGN(const Collection keys, read("deviceKeys.db", files.device_keys));
    SOTTO_TRY_ASSIGN(const Collection webhooks, read("webhooks.db", files.webhooks));
    SOTTO_TRY_ASSIGN(const Collection products, read("products.db", files.products));
    SOTTO_TRY(translation.take_users(users.documents));
    translation.take_devices(devices.documents);
    translation.take_keys(keys.documents);
    translation.take_hooks(webhooks.documents);
    for (const json& product : products.documents)
        translation.remark("product",
                           shown(text_in(product, "name")),
                           "left out, with its firmware: make it again");
    return std::move(translation).result();
}

}  // namespace sotto::cloud::migration
