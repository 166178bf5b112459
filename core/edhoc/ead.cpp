// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/ead.hpp"

#include <limits>

namespace sotto::edhoc {
namespace {

constexpr std::int64_t kLabelMax = std::numeric_limits<std::uint16_t>::max();  // RFC 9528 §10.5

EadItem take_item(cbor::Reader& in) {
    EadItem item;
    const std::int64_t label = in.integer();
    in.require(label >= -kLabelMax && label <= kLabelMax, Error::TooLarge);
    item.label = static_cast<std::int32_t>(label);
    if (in.next_is(cbor::Kind::Bytes)) item.value = in.bytes();
    return item;
}

bool contains(EadLabels labels, std::int32_t label) {
    for (const std::uint16_t each : labels) {
        if (each == label) return true;
    }
    return false;
}

}  // namespace

Ead Ead::read(cbor::Reader& in, EadLabels understood) {
    const Ead ead{in.rest()};
    while (!in.empty()) {
        const EadItem item = take_item(in);
        in.require(!item.is_critical() || contains(understood, -item.label), Error::Unsupported);
    }
    return ead;
}

std::optional<EadItem> Ead::find(std::uint16_t label) const {
    cbor::Reader in{encoded_};
    while (!in.empty()) {
        const EadItem item = take_item(in);
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
