// SPDX-License-Identifier: Apache-2.0
// A collection as NeDB keeps it in a file: a document of JSON in each line, of which the last one
// with its _id counts; {"$$deleted":true} in place of those that are gone, {"$$indexCreated":...}
// for what is no document. Allocates; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "cloud/hooks/mustache.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::migration {

using hooks::Complaint;

struct Collection {
    std::vector<nlohmann::json> documents{};  // objects, in the order of their coming
    std::size_t damaged_count = 0;            // lines that are none
    bool is_cut = false;                      // the last line is one of them: power was cut
};

Result<Collection, Complaint> read_collection(std::string_view file);

// What of a document is a text; empty if there is none.
std::string text_in(const nlohmann::json& document, const char* name);
// Of {"$$date":MS}, or a number; 0 if there is none.
std::int64_t date_in(const nlohmann::json& document, const char* name);

}  // namespace sotto::cloud::migration
