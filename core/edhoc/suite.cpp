// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/suite.hpp"

#include <algorithm>

namespace sotto::edhoc {
namespace {

// How many labels follow.
std::size_t read_count(cbor::Reader& in) {
    if (!in.next_is(cbor::Kind::Array)) return 1;
    const std::size_t count = in.array();
    in.require(count >= 2);
    return count;
}

SuiteLabel read_label(cbor::Reader& in) {
    const std::int64_t label = in.integer();
    in.require(label == static_cast<SuiteLabel>(label), Error::TooLarge);
    return static_cast<SuiteLabel>(label);
}

}  // namespace

std::optional<Suite> find_suite(SuiteLabel label) {
    if (label == 2) return Suite::Two;
    if (label == 3) return Suite::Three;
    return std::nullopt;
}

void write_suites(cbor::Writer& out, std::span<const SuiteLabel> suites) {
    SOTTO_ASSERT(!suites.empty());
    // RFC 9528 §5.2.2: a single suite "is encoded as an int".
    if (suites.size() > 1) out.array(suites.size());
    for (const SuiteLabel suite : suites) out.integer(suite);
}

SuiteList read_suites(cbor::Reader& in) {
    SuiteList suites;
    std::size_t count = read_count(in);
    in.require(count <= kSuiteCountMax, Error::TooLarge);
    for (; in.status() && count > 0; --count) suites.emplace_back(read_label(in));
    return suites;
}

std::optional<Suite> select_suite(cbor::Reader& in) {
    std::optional<Suite> selected;
    bool is_preferred = false;  // to the last one
    for (std::size_t count = read_count(in); count > 0; --count) {
        is_preferred = is_preferred || selected.has_value();
        selected = find_suite(read_label(in));
    }
    if (is_preferred) selected.reset();
    return selected;
}

Result<SuiteList> retry_suites(std::span<const SuiteLabel> preferences,
                               std::span<const SuiteLabel> suites_r) {
    SuiteList suites_i;
    for (const SuiteLabel label : preferences) {
        SOTTO_TRY(suites_i.try_push_back(label));
        if (find_suite(label) && std::ranges::find(suites_r, label) != suites_r.end())
            return suites_i;
    }
    return Error::Unsupported;
}

}  // namespace sotto::edhoc
