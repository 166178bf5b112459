// SPDX-License-Identifier: Apache-2.0
// Any bytes in place of what an app keeps: refused, or stored again as the same bytes. The first
// byte chooses the record. And any text as hex.
#include "app/client/guest_list.hpp"
#include "app/client/outbox.hpp"
#include "app/client/records.hpp"
#include "core/base/assert.hpp"
#include "core/base/hex.hpp"
#include "testing/memory_storage.hpp"

namespace {

using namespace sotto;

template <class T, class Store>
void check(testing::MemoryStorage& storage, const Result<T>& loaded, Store store) {
    if (!loaded) {
        SOTTO_ASSERT(loaded.error() == Error::Malformed || loaded.error() == Error::NoSpace);
        return;
    }
    const auto before = storage.records();
    const Status stored = store(storage, *loaded);
    SOTTO_ASSERT(stored || stored.error() == Error::TooLarge);
    SOTTO_ASSERT(storage.records() == before);
}

void check_outbox(testing::MemoryStorage& storage) {
    const auto entries = app::load_outbox(storage);
    if (!entries) {
        SOTTO_ASSERT(entries.error() == Error::Malformed);
        return;
    }
    const auto before = storage.records();
    for (const app::OutboxEntry& entry : *entries)
        SOTTO_ASSERT(app::store_outbox_entry(storage, entry).has_value());
    SOTTO_ASSERT(storage.records() == before);
}

void check_guests(testing::MemoryStorage& storage) {
    const auto guests = app::load_guests(storage);
    if (!guests) {
        SOTTO_ASSERT(guests.error() == Error::Malformed);
        return;
    }
    const auto before = storage.records();
    for (const app::Guest& guest : *guests) {
        const Status stored = app::store_guest(storage, guest);
        SOTTO_ASSERT(stored || stored.error() == Error::TooLarge);
    }
    SOTTO_ASSERT(storage.records() == before);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 2'048) return 0;
    const Bytes bytes = Bytes{data, size}.subspan(1);
    testing::MemoryStorage storage;
    constexpr std::array<std::uint16_t, 7> kIds{0x0081, 0x0082, 0x0481, 0, 0x0008, 0x0001, 0x0084};
    const std::size_t choice = data[0] % kIds.size();
    if (choice == 3) {
        const auto decoded = from_hex<std::vector<std::uint8_t>>(as_text(bytes));
        if (decoded)
            SOTTO_ASSERT(from_hex<std::vector<std::uint8_t>>(to_hex<std::string>(*decoded)) ==
                         decoded);
        return 0;
    }
    SOTTO_ASSERT(storage.store(hal::RecordId{kIds[choice]}, bytes).has_value());
    if (choice == 0) check(storage, app::load_account(storage), app::store_account);
    if (choice == 1) check(storage, app::load_name(storage), app::store_name);
    if (choice == 2) check(storage, app::load_app_id(storage), app::store_app_id);
    if (choice == 4) check_outbox(storage);
    if (choice == 5) check_guests(storage);
    if (choice == 6) check(storage, app::load_tag_key(storage), app::store_tag_key);
    return 0;
}
