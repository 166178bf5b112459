// SPDX-License-Identifier: Apache-2.0
#include "app/client/outbox.hpp"

#include <algorithm>

#include "app/client/part.hpp"

namespace sotto::app {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint16_t kFirstRecord = 0x0001;  // an entry is at its number modulo kOutboxMax
constexpr std::size_t kRecordSizeMax = 4'000;

hal::RecordId record_of(std::uint32_t number) {
    return hal::RecordId{static_cast<std::uint16_t>(kFirstRecord + number % kOutboxMax)};
}

template <std::size_t N>
Status read_array(Reader& in, std::array<std::uint8_t, N>& out) {
    SOTTO_TRY_ASSIGN(const Bytes bytes, in.take(N));
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return {};
}

bool is_stage(std::uint8_t value) {
    return value >= static_cast<std::uint8_t>(Stage::Sealed) &&
           value <= static_cast<std::uint8_t>(Stage::Unknown);
}

Result<OutboxEntry> decode(Bytes record) {
    Reader in{record};
    OutboxEntry entry;
    SOTTO_TRY_ASSIGN(const std::uint8_t format, in.u8());
    SOTTO_TRY_ASSIGN(entry.number, in.u32_be());
    SOTTO_TRY_ASSIGN(const std::uint8_t stage, in.u8());
    SOTTO_TRY_ASSIGN(entry.slot, in.u8());
    SOTTO_TRY_ASSIGN(const std::uint32_t piv, in.u32_be());
    SOTTO_TRY(read_array(in, entry.deferred.tag));
    SOTTO_TRY(read_array(in, entry.deferred.token));
    SOTTO_TRY_ASSIGN(entry.sealed_at, in.u32_be());
    SOTTO_TRY_ASSIGN(entry.not_after, in.u32_be());
    SOTTO_TRY_ASSIGN(const std::uint8_t code, in.u8());
    SOTTO_TRY_ASSIGN(entry.function, read_text(in));
    SOTTO_TRY_ASSIGN(entry.argument, read_text(in));
    SOTTO_TRY_ASSIGN(entry.result, read_text(in));
    SOTTO_TRY_ASSIGN(const std::string message, read_text(in));
    SOTTO_TRY(in.finish());
    if (format != kFormat || !is_stage(stage)) return Error::Malformed;
    entry.stage = static_cast<Stage>(stage);
    entry.deferred.piv = oscore::Piv{piv};
    entry.code = static_cast<coap::Code>(code);
    entry.message.assign(message.begin(), message.end());
    return entry;
}

}  // namespace

Result<std::vector<OutboxEntry>> load_outbox(hal::Storage& storage) {
    std::vector<OutboxEntry> entries;
    std::array<std::uint8_t, kRecordSizeMax> buffer{};
    for (std::uint32_t place = 0; place < kOutboxMax; ++place) {
        const auto size = storage.load(record_of(place), buffer);
        if (!size && size.error() == Error::NotFound) continue;
        if (!size) return size.error() == Error::NoSpace ? Error::Malformed : size.error();
        auto entry = decode(Bytes{buffer}.first(*size));
        if (!entry || entry->number % kOutboxMax != place) return Error::Malformed;
        entries.push_back(*std::move(entry));
    }
    std::ranges::sort(entries, {}, &OutboxEntry::number);
    return entries;
}

Status store_outbox_entry(hal::Storage& storage, const OutboxEntry& entry) {
    std::array<std::uint8_t, kRecordSizeMax> buffer{};
    Writer out{buffer};
    out.u8(kFormat).u32_be(entry.number).u8(static_cast<std::uint8_t>(entry.stage));
    out.u8(entry.slot).u32_be(static_cast<std::uint32_t>(entry.deferred.piv.value()));
    out.bytes(entry.deferred.tag).bytes(entry.deferred.token);
    out.u32_be(entry.sealed_at).u32_be(entry.not_after);
    out.u8(static_cast<std::uint8_t>(entry.code));
    write_part(out, as_bytes(entry.function));
    write_part(out, as_bytes(entry.argument));
    write_part(out, as_bytes(entry.result));
    write_part(out, entry.message);
    const auto record = out.finish();
    return record ? storage.store(record_of(entry.number), *record) : Status{Error::TooLarge};
}

// A new entry takes the place of the one kOutboxMax before, so the oldest ones go first.
Status add_outbox_entry(hal::Storage& storage, OutboxEntry& entry) {
    SOTTO_TRY_ASSIGN(const std::vector<OutboxEntry> entries, load_outbox(storage));
    entry.number = entries.empty() ? 1 : entries.back().number + 1;
    const auto in_its_place = std::ranges::find_if(entries, [&](const OutboxEntry& other) {
        return other.number % kOutboxMax == entry.number % kOutboxMax;
    });
    if (in_its_place != entries.end() && !in_its_place->has_ended()) return Error::Busy;
    return store_outbox_entry(storage, entry);
}

}  // namespace sotto::app
