// SPDX-License-Identifier: Apache-2.0
// Any bytes as a description: what comes of it keeps to its limits, and what it lists is found.
#include "cloud/particle/description.hpp"
#include "core/base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sotto::cloud::particle;  // NOLINT(google-build-using-namespace)
    const auto part = parse_description({data, size});
    if (!part) return 0;
    const Description& description = part->description;
    SOTTO_ASSERT(description.functions.size() <= kFunctionCountMax);
    SOTTO_ASSERT(description.variables.size() <= kVariableCountMax);
    for (const std::string& name : description.functions)
        SOTTO_ASSERT(name.size() <= kMemberNameSizeMax && description.has_function(name));
    for (const Variable& variable : description.variables)
        SOTTO_ASSERT(description.find_variable(variable.name) != nullptr);
    return 0;
}
