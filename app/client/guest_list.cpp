// SPDX-License-Identifier: Apache-2.0
#include "app/client/guest_list.hpp"

#include <algorithm>

#include "app/client/part.hpp"

namespace sotto::app {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kRecordSizeMax = 320;

hal::RecordId record_of(std::uint16_t number) { return hal::RecordId{number}; }

Result<Guest> decode(std::uint16_t number, Bytes record) {
    Reader in{record};
    Guest guest;
    guest.number = number;
    SOTTO_TRY_ASSIGN(const std::uint8_t format, in.u8());
    SOTTO_TRY_ASSIGN(const Bytes token, in.take(guest.token.size()));
    SOTTO_TRY_ASSIGN(guest.generation, in.u32_be());
    SOTTO_TRY_ASSIGN(guest.not_after, in.u32_be());
    SOTTO_TRY_ASSIGN(const std::uint8_t is_revoked, in.u8());
    SOTTO_TRY_ASSIGN(guest.name, read_text(in));
    SOTTO_TRY_ASSIGN(guest.scope, read_text(in));
    SOTTO_TRY(in.finish());
    if (format != kFormat || is_revoked > 1) return Error::Malformed;
    std::ranges::copy(token, guest.token.begin());
    guest.is_revoked = is_revoked == 1;
    return guest;
}

}  // namespace

// Numbers are given without gaps: the first that is not there ends the list.
Result<std::vector<Guest>> load_guests(hal::Storage& storage) {
    std::vector<Guest> guests;
    std::array<std::uint8_t, kRecordSizeMax> buffer{};
    for (std::uint16_t number = 1; number <= kGuestsMax; ++number) {
        const auto size = storage.load(record_of(number), buffer);
        if (!size && size.error() == Error::NotFound) break;
        if (!size) return size.error() == Error::NoSpace ? Error::Malformed : size.error();
        auto guest = decode(number, Bytes{buffer}.first(*size));
        if (!guest) return Error::Malformed;
        guests.push_back(*std::move(guest));
    }
    return guests;
}

Status store_guest(hal::Storage& storage, const Guest& guest) {
    if (guest.name.size() > kGuestNameSizeMax || guest.scope.size() > kGuestScopeSizeMax)
        return Error::TooLarge;
    std::array<std::uint8_t, kRecordSizeMax> buffer{};
    Writer out{buffer};
    out.u8(kFormat).bytes(guest.token).u32_be(guest.generation).u32_be(guest.not_after);
    out.u8(guest.is_revoked ? 1 : 0);
    write_part(out, as_bytes(guest.name));
    write_part(out, as_bytes(guest.scope));
    SOTTO_TRY_ASSIGN(const Bytes record, out.finish());
    return storage.store(record_of(guest.number), record);
}

Status add_guest(hal::Storage& storage, Guest& guest, std::uint32_t time) {
    SOTTO_TRY_ASSIGN(const std::vector<Guest> guests, load_guests(storage));
    const auto place = std::ranges::find_if(
        guests, [&](const Guest& other) { return other.is_over(guest.generation, time); });
    if (place == guests.end() && guests.size() == kGuestsMax) return Error::Busy;
    guest.number = static_cast<std::uint16_t>(place - guests.begin() + 1);
    return store_guest(storage, guest);
}

}  // namespace sotto::app
