// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/settings.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sys/un.h>

#include "core/base/hex.hpp"
#include "core/framing/text.hpp"

namespace sotto::gateway {

namespace {

namespace fs = std::filesystem;
using TokenOrComplaint = std::variant<std::string, Complaint>;

TokenOrComplaint read_token(const std::string& path) {
    std::ifstream file{path};
    std::string token;
    if (!file || fs::is_directory(path))
        return Complaint{"token file " + path + " cannot be read; the cloud's owner makes one"};
    std::getline(file, token);
    while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
    if (token.empty() || token.size() > framing::kTokenSizeMax || !framing::is_visible_ascii(token))
        return Complaint{"token file " + path + " holds no token in its first line"};
    return token;
}

// What is said of single clouds, and of all others.
struct ByCloud {
    std::map<std::string, std::string> own;
    std::string others;
    std::string complaint;

    const std::string& of(const std::string& cloud) const {
        const auto found = own.find(cloud);
        return found == own.end() ? others : found->second;
    }
};

// `option` takes HOST:PORT=VALUE.
ByCloud split(const std::string& option,
              const std::vector<std::string>& texts,
              const Settings& settings) {
    ByCloud values;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        const std::string cloud = text.substr(0, equals);
        if (equals == std::string::npos) {
            values.others = text;
        } else if (std::find(settings.clouds.begin(), settings.clouds.end(), cloud) ==
                   settings.clouds.end()) {
            values.complaint = option + " " + text + ": there is no --cloud " + cloud;
        } else {
            values.own[cloud] = text.substr(equals + 1);
        }
    }
    return values;
}

ByCloud split_tokens(const Settings& settings) {
    ByCloud files = split("--token", settings.tokens, settings);
    if (!files.others.empty())
        files.complaint = "--token " + files.others + ": it must be HOST:PORT=FILE";
    files.others = settings.token_file;
    return files;
}

std::variant<uplink::Security, Complaint> make_security(const uplink::Address& address,
                                                        const std::string& pin,
                                                        const std::string& authorities_file,
                                                        bool allow_clear) {
    std::string authorities;
    if (!authorities_file.empty()) {
        std::ifstream file{authorities_file};
        if (!file || fs::is_directory(authorities_file))
            return Complaint{"--ca " + authorities_file + ": it cannot be read"};
        authorities.assign(std::istreambuf_iterator<char>{file}, {});
        if (authorities.empty()) return Complaint{"--ca " + authorities_file + ": it is empty"};
    }
    auto security = uplink::Security::parse(
        {.host = address.host, .pin = pin, .authorities = authorities, .allow_clear = allow_clear});
    if (security) return *std::move(security);
    return Complaint{(pin.empty() ? "--ca " + authorities_file : "--pin " + pin) + ": " +
                     security.error()};
}

}  // namespace

std::variant<std::vector<Uplink>, Complaint> load_uplinks(const Settings& settings) {
    if (settings.clouds.size() > relay::kCloudsMax)
        return Complaint{"at most " + std::to_string(relay::kCloudsMax) + " clouds can be served"};
    const ByCloud files = split_tokens(settings);
    const ByCloud pins = split("--pin", settings.pins, settings);
    const ByCloud authorities = split("--ca", settings.authorities, settings);
    for (const ByCloud* values : {&files, &pins, &authorities}) {
        if (!values->complaint.empty()) return Complaint{values->complaint};
    }
    std::vector<Uplink> uplinks;
    for (const std::string& text : settings.clouds) {
        const auto address = uplink::parse_address(text);
        if (!address) return Complaint{"--cloud " + text + ": it must be HOST:PORT"};
        for (const Uplink& other : uplinks) {
            if (other.cloud.address == text)
                return Complaint{"--cloud " + text + " is given twice"};
        }
        const std::string& file = files.of(text);
        if (file.empty())
            return Complaint{"--cloud " + text + " needs a token: --token-file FILE or --token " +
                             text + "=FILE"};
        auto token = read_token(file);
        if (const auto* complaint = std::get_if<Complaint>(&token)) return *complaint;
        auto security =
            make_security(*address, pins.of(text), authorities.of(text), settings.insecure);
        if (const auto* complaint = std::get_if<Complaint>(&security)) return *complaint;
        uplinks.push_back({{text, std::get<std::string>(std::move(token))},
                           *address,
                           std::get<uplink::Security>(std::move(security))});
    }
    return uplinks;
}

namespace {

std::string check_local_folder(const Settings& settings) {
    const std::string option = "--unencrypted-local " + settings.local_folder;
    std::error_code error;
    if (!fs::is_directory(settings.local_folder, error))
        return option + ": there is no such folder; create it first";
    if (fs::equivalent(settings.local_folder, settings.air_folder, error))
        return option + ": it must be another folder than that of --air";
    const std::string longest =
        LocalPort::path_of(settings.local_folder, std::string(2 * framing::kDeviceIdSize, '0'));
    if (longest.size() >= sizeof(sockaddr_un::sun_path))
        return option + ": its name is too long for a socket in it";
    return {};
}

}  // namespace

std::variant<relay::Admission, Complaint> load_admission(const Settings& settings) {
    relay::Admission admission{.is_by_tag = settings.serve == kServeAccount};
    for (const std::string& text : settings.device_ids) {
        framing::DeviceId id{};
        if (!from_hex(text, id)) return Complaint{"--device " + text + ": an id is 24 hex digits"};
        admission.devices.push_back(id);
    }
    return admission;
}

std::variant<BluzService, Complaint> load_bluz(const Settings& settings) {
    BluzService service{.server_text = settings.legacy, .local_folder = settings.local_folder};
    if (!settings.legacy.empty()) {
        const auto address = uplink::parse_address(settings.legacy);
        if (!address) return Complaint{"--legacy " + settings.legacy + ": it must be HOST:PORT"};
        service.server = *address;
    }
    for (const std::string& text : settings.bluz_ids) {
        bluz::DeviceId id{};
        if (!from_hex(text, id))
            return Complaint{"--bluz-device " + text + ": an id is 24 hex digits"};
        service.admitted.push_back(id);
    }
    if (!settings.local_folder.empty()) {
        if (std::string wrong = check_local_folder(settings); !wrong.empty())
            return Complaint{std::move(wrong)};
    }
    return service;
}

std::variant<Paces, Complaint> load_paces(const Settings& settings) {
    Paces paces;
    for (const std::string& text : settings.connection_intervals) {
        if (!paces.add(text))
            return Complaint{"--connection-interval " + text +
                             ": it must be [ID=]MIN-MAX[/LATENCY], in ms from 8 to 4000, such as "
                             "15-30 or 400-500/4, and twice MAX x (LATENCY + 1) below 32000"};
    }
    return paces;
}

std::vector<std::string> adapters_of(const Settings& settings) {
    const auto& named = settings.adapters;
    const bool is_all = std::find(named.begin(), named.end(), kAllAdapters) != named.end();
    return is_all ? std::vector<std::string>{} : named;
}

std::string check_air(const Settings& settings) {
    const std::string& folder = settings.air_folder;
    if (!settings.adapters.empty())
        return folder.empty() ? "" : "name either --air or --bluetooth, not both";
    std::error_code error;
    const fs::file_status status = fs::status(folder, error);
    if (status.type() == fs::file_type::not_found)
        return "--air " + folder + ": there is no such folder; create it first";
    if (!fs::is_directory(status)) return "--air " + folder + ": it is not a folder";
    const fs::directory_iterator readable{folder, error};
    if (error) return "--air " + folder + ": " + error.message();
    return {};
}

}  // namespace sotto::gateway
