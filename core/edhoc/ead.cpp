// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/ead.hpp"

#include <algorithm>
#include <limits>

namespace sotto::edhoc {
namespace {

constexpr std::int64_t kLabelMax = std::numeric_limits<std::uint16_t>::max();  // RFC 9528 §10.5

Result<EadItem> read_item(cbor::Reader& in) {
    EadItem item;
    SOTTO_TRY_ASSIGN(const std::int64_t label, in.integer());
    if (label < -kLabelMax || label > kLabelMax) return Error::TooLarge;
    item.label = static_cast<std::int32_t>(label);
    if (!in.empty() && *in.peek() == cbor::Kind::Bytes) {
        SOTTO_TRY_ASSIGN(item.value, in.bytes());
    }
    return item;
}

bool has_label(const EadItem& item, std::uint16_t label) {
    return item.label == label || item.label == -std::int32_t{label};
}

}  // namespace

Result<Ead> Ead::read(cbor::Reader& in, EadLabels understood) {
    Ead ead;
    ead.encoded_ = in.rest();
    while (!in.empty()) {
        SOTTO_TRY_ASSIGN(const EadItem item, read_item(in));
        if (item.label == 0) continue;  // RFC 9528 §3.8.1: padding is ignored and discarded
        const bool is_understood = std::ranges::any_of(
            understood, [&](std::uint16_t label) { return has_label(item, label); });
        if (item.is_critical() && !is_understood) return Error::Unsupported;
        if (ead.items_.full()) return Error::TooLarge;
        ead.items_.emplace_back(item);
    }
    return ead;
}

const EadItem* Ead::find(std::uint16_t label) const {
    const EadItem* found = std::find_if(
        items_.begin(), items_.end(), [&](const EadItem& item) { return has_label(item, label); });
    return found == items_.end() ? nullptr : found;
}

void write_ead(cbor::Writer& out, std::span<const EadItem> items) {
    for (const EadItem& item : items) {
        out.integer(item.label);
        if (item.value) out.bytes(*item.value);
    }
}

}  // namespace sotto::edhoc
