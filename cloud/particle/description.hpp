// SPDX-License-Identifier: Apache-2.0
// What a device says that it has: functions, variables and the modules of its firmware, from the
// JSON of its description. Owns its names; they are bounded in number and size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/particle/image.hpp"
#include "cloud/particle/limits.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::particle {

// Numbers of the protocol. A type that is none of them is read as bytes.
enum class VariableType : std::uint8_t { Bool = 1, Int = 2, String = 4, Double = 9 };

struct Variable {
    std::string name{};
    VariableType type = VariableType::String;
    friend bool operator==(const Variable&, const Variable&) = default;
};

// A module that it runs.
struct Installed {
    Module module{};
    std::vector<Module> needs{};
};

struct Description {
    std::vector<std::string> functions{};
    std::vector<Variable> variables{};
    std::vector<Installed> modules{};  // none: it does not say

    // Whether there is such a part, of that version or a later one.
    bool has(const Module& module) const;
    // What its modules need and is not there, each once.
    std::vector<Module> missing() const;

    bool has_function(std::string_view name) const;
    const Variable* find_variable(std::string_view name) const;
};

// What the JSON says of functions and variables, and whether it says anything of them: a device may
// send the part about its system alone. Error::Malformed for what is no JSON object,
// Error::TooLarge.
struct DescriptionPart {
    Description description{};
    bool has_members = false;
};
Result<DescriptionPart> parse_description(Bytes json);

}  // namespace sotto::cloud::particle
