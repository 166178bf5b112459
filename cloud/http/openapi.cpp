// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document (3.0.3), made from the routes themselves, so that it cannot say another
// thing than they do.
#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/scopes.hpp"

namespace sotto::cloud::http {

using nlohmann::json;

namespace {

std::vector<std::string> split(std::string_view text, char by) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find(by));
        if (!part.empty()) parts.emplace_back(part);
        text.remove_prefix(std::min(part.size() + 1, text.size()));
    }
    return parts;
}

json parameter(const std::string& name, const char* in, bool is_required) {
    return {
        {"name", name}, {"in", in}, {"required", is_required}, {"schema", {{"type", "string"}}}};
}

json reply(const char* what) { return {{"description", what}}; }

json operation_of(const Rest::Route& route, const std::vector<std::string>& places) {
    const bool has_body = route.method == Method::Post || route.method == Method::Put ||
                          route.method == Method::Patch;
    json operation{{"summary", route.summary},
                   {"parameters", json::array()},
                   {"responses",
                    {{"200", reply("Done")},
                     {"400", reply("The request cannot be understood, or the device refused")},
                     {"429", reply("Too many requests")}}}};
    for (const std::string& place : places)
        operation["parameters"].push_back(parameter(place, "path", true));
    json properties = json::object();
    for (const std::string& field : split(route.fields, ',')) {
        if (!has_body) operation["parameters"].push_back(parameter(field, "query", false));
        properties[field] = {{"type", "string"}};
    }
    if (has_body && !properties.empty()) {
        const json schema{{"schema", {{"type", "object"}, {"properties", properties}}}};
        operation["requestBody"]["content"] = {{"application/x-www-form-urlencoded", schema},
                                               {"application/json", schema}};
    }
    if (route.file != nullptr) {
        json with_file = properties;
        with_file[route.file] = {{"type", "string"}, {"format", "binary"}};
        operation["requestBody"]["content"]["multipart/form-data"]["schema"] = {
            {"type", "object"}, {"properties", with_file}};
    }
    if (route.scopes == Rest::kPublic) {
        operation["security"] = json::array();
        return operation;
    }
    operation["responses"]["401"] = reply("The token is unknown or has expired");
    operation["responses"]["403"] = reply("Not with this token; or the device is sealed");
    operation["responses"]["404"] = reply("This user has no such thing");
    const json scopes = route.scopes == 0 ? json::array() : json(names_of(route.scopes));
    operation["security"] = json::array({{{"token", scopes}}});
    return operation;
}

}  // namespace

std::string Rest::openapi() {
    json paths = json::object();
    for (const Route& route : routes()) {
        std::string path;
        std::vector<std::string> places;
        bool is_open = false;
        for (std::string part : split(route.path, '/')) {
            if (part.starts_with(':') || part.starts_with('*')) {
                is_open = part.starts_with('*');
                places.push_back(part.substr(1));
                part = "{" + part.substr(1) + "}";
            }
            path += "/" + part;
        }
        constexpr const char* kNames[] = {"get", "post", "put", "delete", "", "", "patch"};
        const char* const method = kNames[static_cast<std::size_t>(route.method)];
        paths[path][method] = operation_of(route, places);
        if (!is_open) continue;
        // What stands for the rest of a path may be left away.
        places.pop_back();
        paths[path.substr(0, path.rfind('/'))][method] = operation_of(route, places);
    }
    const json token{{"type", "oauth2"},
                     {"flows",
                      {{"password",
                        {{"tokenUrl", "/oauth/token"},
                         {"refreshUrl", "/oauth/token"},
                         {"scopes", json::object()}}}}}};
    json document{{"openapi", "3.0.3"},
                  {"info",
                   {{"title", "Sotto cloud: devices, functions, variables and events"},
                    {"version", "1"},
                    {"description",
                     "What sealed devices say and do is not here: this cloud cannot read it."}}},
                  {"paths", paths},
                  {"components", {{"securitySchemes", {{"token", token}}}}}};
    json& scopes =
        document["components"]["securitySchemes"]["token"]["flows"]["password"]["scopes"];
    for (const std::string& name : names_of(model::kAllScopes & ~1U)) scopes[name] = "";
    scopes["devices:list"] = "";
    return document.dump(-1, ' ', true);
}

}  // namespace sotto::cloud::http
