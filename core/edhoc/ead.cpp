// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/ead.hpp"

#include <limits>

namespace sotto::edhoc {
namespace {

constexpr std::int64_t kLabelMax = std::numeric_limits<std::uint16_t>::max();  // RFC 9528 §10.5

Status take_item(cbor::Reader& in, EadItem& item) {
    SOTTO_TRY_ASSIGN(const std::int64_t label, in.integer());
    if (label < -kLabelMax || label > kLabelMax) return Error::TooLarge;
    item = {.label = static_cast<std::int32_t>(label), .value = std::nullopt};
    if (in.empty() || *in.peek() != cbor::Kind::Bytes) return {};
    SOTTO_TRY_ASSIGN(item.value, in.bytes());
    return {};
}

bool contains(EadLabels labels, std::int32_t label) {
    for (const std::uint16_t each : labels) {
        if (each == label) return true;
    }
    return false;
}

}  // namespace

Result<Ead> Ead::read(cbor::Reader& in, EadLabels understood) {
    const Ead ead{in.rest()};
    EadItem item;
    while (!in.empty()) {
        SOTTO_TRY(take_item(in, item));
        if (item.is_critical() && !contains(understood, -item.label)) return Error::Unsupported;
    }
    return ead;
}

std::optional<EadItem> Ead::find(std::uint16_t label) const {
    cbor::Reader in{encoded_};
    EadItem item;
    while (!in.empty() && take_item(in, item)) {
        if (item.label == label || -item.label == label) return item;
    }
    return std::nullopt;
}

void write_ead(cbor::Writer& out, std::span<const EadItem> items) {
    for (const EadItem& item : items) {
        out.integer(item.label);
        if (item.value) out.bytes(*item.value);
    }
}

}  // namespace sotto::edhoc
