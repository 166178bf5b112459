// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/suite.hpp"

#include <algorithm>

namespace sotto::edhoc {
namespace {

// How many labels follow.
Result<std::size_t> read_count(cbor::Reader& in) {
    SOTTO_TRY_ASSIGN(const cbor::Kind kind, in.peek());
    if (kind != cbor::Kind::Array) return std::size_t{1};
    SOTTO_TRY_ASSIGN(const std::size_t count, in.array());
    if (count < 2) return Error::Malformed;
    return count;
}

Result<SuiteLabel> read_label(cbor::Reader& in) {
    SOTTO_TRY_ASSIGN(const std::int64_t label, in.integer());
    if (label != static_cast<SuiteLabel>(label)) return Error::TooLarge;
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

Result<SuiteList> read_suites(cbor::Reader& in) {
    SuiteList suites;
    SOTTO_TRY_ASSIGN(std::size_t count, read_count(in));
    if (count > kSuiteCountMax) return Error::TooLarge;
    for (; count > 0; --count) {
        SOTTO_TRY_ASSIGN(const SuiteLabel label, read_label(in));
        suites.emplace_back(label);
    }
    return suites;
}

Result<std::optional<Suite>> select_suite(cbor::Reader& in) {
    std::optional<Suite> selected;
    bool is_preferred = false;  // to the last one
    SOTTO_TRY_ASSIGN(std::size_t count, read_count(in));
    for (; count > 0; --count) {
        is_preferred = is_preferred || selected.has_value();
        SOTTO_TRY_ASSIGN(const SuiteLabel label, read_label(in));
        selected = find_suite(label);
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
