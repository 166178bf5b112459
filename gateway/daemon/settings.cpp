// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/settings.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

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

struct TokenFiles {
    std::map<std::string, std::string> by_cloud;
    std::string complaint;
};

TokenFiles split_tokens(const Settings& settings) {
    TokenFiles files;
    for (const std::string& text : settings.tokens) {
        const std::size_t equals = text.find('=');
        const std::string cloud = text.substr(0, equals);
        if (equals == std::string::npos) {
            files.complaint = "--token " + text + ": it must be HOST:PORT=FILE";
        } else if (std::find(settings.clouds.begin(), settings.clouds.end(), cloud) ==
                   settings.clouds.end()) {
            files.complaint = "--token " + text + ": there is no --cloud " + cloud;
        } else {
            files.by_cloud[cloud] = text.substr(equals + 1);
        }
    }
    return files;
}

}  // namespace

std::variant<std::vector<Uplink>, Complaint> load_uplinks(const Settings& settings) {
    if (settings.clouds.size() > relay::kCloudsMax)
        return Complaint{"at most " + std::to_string(relay::kCloudsMax) + " clouds can be served"};
    const TokenFiles files = split_tokens(settings);
    if (!files.complaint.empty()) return Complaint{files.complaint};
    std::vector<Uplink> uplinks;
    for (const std::string& text : settings.clouds) {
        const auto address = uplink::parse_address(text);
        if (!address) return Complaint{"--cloud " + text + ": it must be HOST:PORT"};
        for (const Uplink& other : uplinks) {
            if (other.cloud.address == text)
                return Complaint{"--cloud " + text + " is given twice"};
        }
        const auto own = files.by_cloud.find(text);
        const std::string& file = own == files.by_cloud.end() ? settings.token_file : own->second;
        if (file.empty())
            return Complaint{"--cloud " + text + " needs a token: --token-file FILE or --token " +
                             text + "=FILE"};
        auto token = read_token(file);
        if (const auto* complaint = std::get_if<Complaint>(&token)) return *complaint;
        uplinks.push_back({{text, std::get<std::string>(std::move(token))}, *address});
    }
    return uplinks;
}

std::string check_air_folder(const std::string& folder) {
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
