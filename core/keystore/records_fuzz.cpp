// SPDX-License-Identifier: Apache-2.0
// Any bytes in place of a record: they are refused as one of the listed errors, or they are a
// record that is stored again as the same bytes. The first byte chooses which record.
#include "core/keystore/records.hpp"
#include "testing/memory_storage.hpp"

namespace {

using namespace sotto;
using namespace sotto::keystore;
using testing::MemoryStorage;

// Where the bytes are put, and where what was understood of them is written again.
struct Case {
    Bytes bytes;
    MemoryStorage before{};
    MemoryStorage after{};

    void put(std::uint16_t id) { SOTTO_ASSERT(before.store(hal::RecordId{id}, bytes).has_value()); }

    template <class T, class Store>
    void check(const Result<T>& loaded, Store store) {
        if (!loaded) {
            // NoSpace: the storage holds more than a record can be.
            const Error error = loaded.error();
            SOTTO_ASSERT(error == Error::Malformed || error == Error::NoSpace);
            return;
        }
        SOTTO_ASSERT(store(*loaded).has_value());
        SOTTO_ASSERT(after.records() == before.records());
    }
};

// The keys of a session are checked against its counters: any others are not found.
void check_session(Case& session) {
    session.put(0x0103);
    const CounterRecord counters{.tag = {1, 2, 3, 4}};
    SOTTO_ASSERT(store_counters(session.before, 3, counters).has_value());
    const auto loaded = load_session(session.before, 3);
    if (loaded) return;
    const Error error = loaded.error();
    SOTTO_ASSERT(error == Error::Malformed || error == Error::NoSpace || error == Error::NotFound);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 512) return 0;
    Case given{.bytes = Bytes{data, size}.subspan(1)};
    MemoryStorage& from = given.before;
    MemoryStorage& to = given.after;
    switch (data[0] % 9) {
        case 0:
            given.put(0x0001);
            given.check(load_identity(from),
                        [&](const auto& it) { return store_identity(to, it); });
            break;
        case 1:
            given.put(0x0002);
            given.check(load_root(from), [&](const auto& it) { return store_root(to, it); });
            break;
        case 2:
            given.put(0x0003);
            given.check(load_cloud(from), [&](const auto& it) { return store_cloud(to, it); });
            break;
        case 3:
            given.put(0x0004);
            given.check(load_peer(from), [&](const auto& it) { return store_peer(to, it); });
            break;
        case 4:
            given.put(0x0205);
            given.check(load_counters(from, 5),
                        [&](const auto& it) { return store_counters(to, 5, it); });
            break;
        case 5:
            given.put(0x0305);
            given.check(load_result(from, 5),
                        [&](const auto& it) { return store_result(to, 5, it); });
            break;
        case 6:
            check_session(given);
            break;
        case 7: {
            given.put(0x0006);
            RevokedTokens revoked;
            const Status loaded = load_revoked(from, revoked);
            given.check(loaded ? Result<RevokedTokens>{revoked} : loaded.error(),
                        [&](const auto& it) { return store_revoked(to, it); });
            break;
        }
        case 8: {
            given.put(0x0007);
            TokenBytes token;
            const Status loaded = load_token(from, token);
            given.check(loaded ? Result<TokenBytes>{token} : loaded.error(),
                        [&](const auto& it) { return store_token(to, it); });
            break;
        }
    }
    return 0;
}
