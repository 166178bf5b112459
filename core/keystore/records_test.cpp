// SPDX-License-Identifier: Apache-2.0
#include "core/keystore/records.hpp"

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "testing/memory_storage.hpp"

namespace sotto::keystore {
namespace {

using testing::MemoryStorage;

template <std::size_t N, class Tag>
void paint(Secret<N, Tag>& secret, std::uint8_t value) {
    for (std::uint8_t& byte : secret.fill()) byte = value++;
}

Identity make_identity() {
    Identity identity;
    paint(identity.private_key, 1);
    identity.credential = CredentialBytes{as_bytes("credential")};
    return identity;
}

DeviceRoot make_root() {
    DeviceRoot root;
    root.epoch = 3;
    root.generation = 7;
    root.owner_state = OwnerState::Owned;
    root.owner = CredentialBytes{as_bytes("owner")};
    paint(root.token_key, 2);
    paint(root.pairing_secret, 3);
    return root;
}

CloudRecord make_cloud() {
    CloudRecord cloud;
    cloud.epoch = 3;
    cloud.version = 0x01020304;
    cloud.address = FixedBytes<kAddressSizeMax>{as_bytes("cloud.example:1")};
    cloud.credential_hash.fill(4);
    cloud.claim.fill(5);
    return cloud;
}

PeerRecord make_peer() {
    PeerRecord peer;
    peer.is_paired = true;
    peer.generation = 9;
    peer.credential = CredentialBytes{as_bytes("device")};
    paint(peer.token_key, 6);
    return peer;
}

// A session whose keys are painted with `value`; the counters fit them.
StoredSession make_session(std::uint8_t value, std::uint32_t reserved = 64) {
    StoredSession session;
    session.head.epoch = 3;
    session.head.role = 1;
    session.head.peer = 2;
    paint(session.keys.sender_key, value);
    paint(session.keys.recipient_key, static_cast<std::uint8_t>(value + 1));
    paint(session.keys.common_iv, static_cast<std::uint8_t>(value + 2));
    session.keys.sender_id = ConnectionIdBytes{as_bytes("s")};
    session.head.recipient_id = ConnectionIdBytes{as_bytes("rid")};
    session.counters = {.tag = session_tag(session.keys.sender_key, session.keys.recipient_key),
                        .reserved = reserved,
                        .floor = 12,
                        .age_s = 345,
                        .failures = 6};
    return session;
}

ResultRecord make_result() {
    ResultRecord result{.tag = {1, 2, 3, 4}, .piv = 77, .code = 68};
    result.payload = FixedBytes<kResultSizeMax>{as_bytes("done")};
    return result;
}

RevokedTokens make_revoked() {
    RevokedTokens revoked{.generation = 7};
    revoked.tokens[15] = {.id = {1, 2, 3, 4}, .not_after = 0x70000000};
    return revoked;
}

template <std::size_t N, class Tag>
bool same(const Secret<N, Tag>& a, const Secret<N, Tag>& b) {
    return ct_equal(a.expose(), b.expose());
}

bool same(const StoredSession& a, const StoredSession& b) {
    return a.head.epoch == b.head.epoch && a.head.role == b.head.role &&
           a.head.peer == b.head.peer && same(a.keys.sender_key, b.keys.sender_key) &&
           same(a.keys.recipient_key, b.keys.recipient_key) &&
           same(a.keys.common_iv, b.keys.common_iv) && a.keys.sender_id == b.keys.sender_id &&
           a.head.recipient_id == b.head.recipient_id && a.counters.tag == b.counters.tag &&
           a.counters.reserved == b.counters.reserved && a.counters.floor == b.counters.floor &&
           a.counters.age_s == b.counters.age_s && a.counters.failures == b.counters.failures;
}

// Every kind of record, to be told the same things about each.
struct Kind {
    std::string name;
    std::uint16_t id;
    std::function<Status(hal::Storage&)> store;
    std::function<Status(hal::Storage&)> load;
};

template <class T>
Status status_of(const Result<T>& result) {
    if (!result) return result.error();
    return {};
}

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all{
        {"identity",
         0x0001,
         [](hal::Storage& s) { return store_identity(s, make_identity()); },
         [](hal::Storage& s) { return status_of(load_identity(s)); }},
        {"root",
         0x0002,
         [](hal::Storage& s) { return store_root(s, make_root()); },
         [](hal::Storage& s) { return status_of(load_root(s)); }},
        {"cloud",
         0x0003,
         [](hal::Storage& s) { return store_cloud(s, make_cloud()); },
         [](hal::Storage& s) { return status_of(load_cloud(s)); }},
        {"peer",
         0x0004,
         [](hal::Storage& s) { return store_peer(s, make_peer()); },
         [](hal::Storage& s) { return status_of(load_peer(s)); }},
        {"revoked",
         0x0006,
         [](hal::Storage& s) { return store_revoked(s, make_revoked()); },
         [](hal::Storage& s) {
             RevokedTokens revoked;
             return load_revoked(s, revoked);
         }},
        {"token",
         0x0007,
         [](hal::Storage& s) { return store_token(s, TokenBytes{as_bytes("token")}); },
         [](hal::Storage& s) {
             TokenBytes token;
             return load_token(s, token);
         }},
        {"session",
         0x0102,
         [](hal::Storage& s) { return store_session(s, 2, make_session(10)); },
         [](hal::Storage& s) { return status_of(load_session(s, 2)); }},
        {"counters",
         0x0202,
         [](hal::Storage& s) { return store_counters(s, 2, make_session(10).counters); },
         [](hal::Storage& s) { return status_of(load_counters(s, 2)); }},
        {"result",
         0x0302,
         [](hal::Storage& s) { return store_result(s, 2, make_result()); },
         [](hal::Storage& s) { return status_of(load_result(s, 2)); }},
    };
    return all;
}

TEST(Records, GiveBackWhatWasStored) {
    MemoryStorage storage;
    for (const Kind& kind : kinds()) EXPECT_TRUE(kind.store(storage)) << kind.name;

    const auto identity = load_identity(storage);
    ASSERT_TRUE(identity);
    EXPECT_TRUE(same(identity->private_key, make_identity().private_key));
    EXPECT_EQ(identity->credential, make_identity().credential);

    const auto root = load_root(storage);
    ASSERT_TRUE(root);
    EXPECT_EQ(root->epoch, 3U);
    EXPECT_EQ(root->generation, 7U);
    EXPECT_EQ(root->owner_state, OwnerState::Owned);
    EXPECT_EQ(root->owner, make_root().owner);
    EXPECT_TRUE(same(root->token_key, make_root().token_key));
    EXPECT_TRUE(same(root->pairing_secret, make_root().pairing_secret));

    const auto cloud = load_cloud(storage);
    ASSERT_TRUE(cloud);
    EXPECT_EQ(cloud->version, 0x01020304U);
    EXPECT_EQ(as_text(cloud->address), "cloud.example:1");
    EXPECT_EQ(cloud->credential_hash, make_cloud().credential_hash);
    EXPECT_EQ(cloud->claim, make_cloud().claim);

    const auto peer = load_peer(storage);
    ASSERT_TRUE(peer);
    EXPECT_TRUE(peer->is_paired);
    EXPECT_EQ(peer->generation, 9U);
    EXPECT_EQ(as_text(peer->credential), "device");
    EXPECT_TRUE(same(peer->token_key, make_peer().token_key));

    RevokedTokens revoked;
    ASSERT_TRUE(load_revoked(storage, revoked));
    EXPECT_EQ(revoked.generation, 7U);
    EXPECT_EQ(revoked.tokens[14].not_after, 0U);
    EXPECT_EQ(revoked.tokens[15].id, (TokenId{1, 2, 3, 4}));
    EXPECT_EQ(revoked.tokens[15].not_after, 0x70000000U);

    TokenBytes token;
    ASSERT_TRUE(load_token(storage, token));
    EXPECT_EQ(as_text(token), "token");
    ASSERT_TRUE(erase_token(storage));
    EXPECT_EQ(load_token(storage, token).error(), Error::NotFound);

    const auto session = load_session(storage, 2);
    ASSERT_TRUE(session);
    EXPECT_TRUE(same(*session, make_session(10)));

    const auto result = load_result(storage, 2);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->tag, make_result().tag);
    EXPECT_EQ(result->piv, 77U);
    EXPECT_EQ(result->code, 68);
    EXPECT_TRUE(result->has_payload);
    EXPECT_EQ(as_text(result->payload), "done");
}

// docs/formats/records.md, by hand.
TEST(Records, HaveTheDocumentedBytes) {
    MemoryStorage storage;
    ASSERT_TRUE(store_counters(storage,
                               1,
                               {.tag = {0xa, 0xb, 0xc, 0xd},
                                .reserved = 0x01020304,
                                .floor = 5,
                                .age_s = 6,
                                .failures = 0x0708}));
    EXPECT_EQ(storage.records().at(hal::RecordId{0x0201}),
              (std::vector<std::uint8_t>{
                  1, 0xa, 0xb, 0xc, 0xd, 1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 6, 7, 8}));
    ASSERT_TRUE(store_result(storage, 1, make_result()));
    EXPECT_EQ(
        storage.records().at(hal::RecordId{0x0301}),
        (std::vector<std::uint8_t>{1, 1, 2, 3, 4, 0, 0, 0, 77, 68, 1, 4, 'd', 'o', 'n', 'e'}));
}

TEST(Records, AreNotFoundBeforeTheyAreStored) {
    MemoryStorage storage;
    for (const Kind& kind : kinds()) {
        const Status loaded = kind.load(storage);
        ASSERT_FALSE(loaded) << kind.name;
        EXPECT_EQ(loaded.error(), Error::NotFound) << kind.name;
    }
}

TEST(Records, OfAnotherFormatAreMalformed) {
    for (const Kind& kind : kinds()) {
        MemoryStorage storage;
        ASSERT_TRUE(kind.store(storage)) << kind.name;
        std::vector<std::uint8_t> record = storage.records().at(hal::RecordId{kind.id});
        for (const std::uint8_t format : std::array<std::uint8_t, 3>{0, 2, 0xff}) {
            record[0] = format;
            ASSERT_TRUE(storage.store(hal::RecordId{kind.id}, record));
            EXPECT_EQ(kind.load(storage).error(), Error::Malformed) << kind.name;
        }
    }
}

TEST(Records, CutShortOrGrownAreMalformed) {
    for (const Kind& kind : kinds()) {
        MemoryStorage storage;
        ASSERT_TRUE(kind.store(storage)) << kind.name;
        std::vector<std::uint8_t> record = storage.records().at(hal::RecordId{kind.id});
        for (std::size_t size = 0; size < record.size(); ++size) {
            ASSERT_TRUE(storage.store(hal::RecordId{kind.id}, Bytes{record}.first(size)));
            EXPECT_EQ(kind.load(storage).error(), Error::Malformed) << kind.name << " " << size;
        }
        record.push_back(0);
        ASSERT_TRUE(storage.store(hal::RecordId{kind.id}, record));
        EXPECT_EQ(kind.load(storage).error(), Error::Malformed) << kind.name;
    }
}

TEST(Records, LargerThanAnyRecordAreRefused) {
    for (const Kind& kind : kinds()) {
        MemoryStorage storage;
        ASSERT_TRUE(kind.store(storage)) << kind.name;
        ASSERT_TRUE(storage.store(hal::RecordId{kind.id}, std::vector<std::uint8_t>(1'000, 1)));
        EXPECT_EQ(kind.load(storage).error(), Error::NoSpace) << kind.name;
    }
}

TEST(Records, ThatStorageCannotReadAreNotTakenForMissing) {
    for (const Kind& kind : kinds()) {
        MemoryStorage storage;
        ASSERT_TRUE(kind.store(storage)) << kind.name;
        storage.fail_loads();
        EXPECT_EQ(kind.load(storage).error(), Error::StorageFailed) << kind.name;
    }
}

TEST(Records, WithValuesThatMeanNothingAreMalformed) {
    MemoryStorage storage;
    ASSERT_TRUE(store_root(storage, make_root()));
    std::vector<std::uint8_t> root = storage.records().at(hal::RecordId{0x0002});
    root[9] = 3;  // a state that there is not
    ASSERT_TRUE(storage.store(hal::RecordId{0x0002}, root));
    EXPECT_EQ(load_root(storage).error(), Error::Malformed);
    root[9] = 0;  // no owner, and yet his credential
    ASSERT_TRUE(storage.store(hal::RecordId{0x0002}, root));
    EXPECT_EQ(load_root(storage).error(), Error::Malformed);

    ASSERT_TRUE(store_peer(storage, make_peer()));
    std::vector<std::uint8_t> peer = storage.records().at(hal::RecordId{0x0004});
    peer[1] = 2;
    ASSERT_TRUE(storage.store(hal::RecordId{0x0004}, peer));
    EXPECT_EQ(load_peer(storage).error(), Error::Malformed);
}

TEST(Records, AreOldOrNewAfterAFailedWrite) {
    for (const Kind& kind : kinds()) {
        if (kind.name == "session") continue;  // several records: below
        MemoryStorage storage;
        ASSERT_TRUE(kind.store(storage)) << kind.name;
        const auto before = storage.records();
        storage.fail_write(0);
        EXPECT_EQ(kind.store(storage).error(), Error::StorageFailed) << kind.name;
        EXPECT_EQ(storage.records(), before) << kind.name;
    }
}

// At whatever write the power goes: the slot holds the old session or the new one, each with its
// own counters, or none. Old keys with new counters, or the other way round, would use a nonce
// twice.
TEST(Session, ReplacedUnderAPowerCutIsOldNewOrNone) {
    for (const auto cut : {MemoryStorage::Cut::Old, MemoryStorage::Cut::New}) {
        bool was_cut = true;
        for (std::size_t step = 0; was_cut; ++step) {
            MemoryStorage storage;
            const StoredSession old_session = make_session(10, 640);
            const StoredSession new_session = make_session(100, 0);
            ASSERT_TRUE(store_session(storage, 2, old_session));
            storage.cut_power_at_write(step, cut);
            const bool is_stored = store_session(storage, 2, new_session).has_value();
            was_cut = storage.is_cut();
            EXPECT_NE(is_stored, was_cut);
            storage.reboot();
            const auto loaded = load_session(storage, 2);
            if (!loaded) {
                EXPECT_EQ(loaded.error(), Error::NotFound) << step;
                EXPECT_TRUE(was_cut) << step;
                continue;
            }
            const bool is_new = same(*loaded, new_session);
            EXPECT_TRUE(is_new || same(*loaded, old_session)) << step;
            EXPECT_TRUE(is_new || !is_stored) << step;
        }
    }
}

TEST(Session, CountersOfOtherKeysMakeItVoid) {
    MemoryStorage storage;
    ASSERT_TRUE(store_session(storage, 2, make_session(10)));
    ASSERT_TRUE(store_counters(storage, 2, make_session(100).counters));
    EXPECT_EQ(load_session(storage, 2).error(), Error::NotFound);
}

TEST(Session, CountersNeverGoBackUnderAPowerCut) {
    for (const auto cut : {MemoryStorage::Cut::Old, MemoryStorage::Cut::New}) {
        MemoryStorage storage;
        ASSERT_TRUE(store_session(storage, 2, make_session(10, 64)));
        storage.cut_power_at_write(0, cut);
        EXPECT_FALSE(store_counters(storage, 2, make_session(10, 128).counters));
        storage.reboot();
        const auto loaded = load_session(storage, 2);
        ASSERT_TRUE(loaded);
        EXPECT_TRUE(same(*loaded, make_session(10, 64)) || same(*loaded, make_session(10, 128)));
    }
}

TEST(Session, LeavesNoKeyInStorageWhenErased) {
    MemoryStorage storage;
    const StoredSession session = make_session(10);
    ASSERT_TRUE(store_session(storage, 2, session));
    ASSERT_TRUE(erase_session(storage, 2));
    EXPECT_EQ(load_session(storage, 2).error(), Error::NotFound);
    for (const auto& [id, record] : storage.records()) {
        for (const Bytes key : {Bytes{session.keys.sender_key.expose()},
                                Bytes{session.keys.recipient_key.expose()},
                                Bytes{session.keys.common_iv.expose()}}) {
            EXPECT_EQ(std::search(record.begin(), record.end(), key.begin(), key.end()),
                      record.end())
                << id.value();
        }
    }
    ASSERT_TRUE(erase_session(storage, 2)) << "erasing what is not there succeeds";
}

TEST(SessionTag, IsTheSameAtBothEndsAndDiffersFromOthers) {
    const StoredSession one = make_session(10);
    const StoredSession other = make_session(100);
    EXPECT_EQ(session_tag(one.keys.sender_key, one.keys.recipient_key),
              session_tag(one.keys.recipient_key, one.keys.sender_key));
    EXPECT_NE(session_tag(one.keys.sender_key, one.keys.recipient_key),
              session_tag(other.keys.sender_key, other.keys.recipient_key));
}

}  // namespace
}  // namespace sotto::keystore
