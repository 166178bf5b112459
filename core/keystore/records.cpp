// SPDX-License-Identifier: Apache-2.0
#include "core/keystore/records.hpp"

namespace sotto::keystore {
namespace {

// docs/formats/records.md lists these numbers; retired ones stay reserved.
constexpr std::uint16_t kIdentityRecord = 0x0001;
constexpr std::uint16_t kRootRecord = 0x0002;
constexpr std::uint16_t kCloudRecord = 0x0003;
constexpr std::uint16_t kPeerRecord = 0x0004;
constexpr std::uint16_t kTrialCloudRecord = 0x0005;
constexpr std::uint16_t kRevokedRecord = 0x0006;
constexpr std::uint16_t kTokenRecord = 0x0007;
constexpr std::uint16_t kSessionRecords = 0x0100;  // + slot
constexpr std::uint16_t kCounterRecords = 0x0200;  // + slot
constexpr std::uint16_t kResultRecords = 0x0300;   // + slot

constexpr std::uint8_t kFormat = 1;  // first byte of every record
constexpr std::size_t kRecordSizeMax = 320;

hal::RecordId record(std::uint16_t base, std::uint8_t slot = 0) {
    return hal::RecordId{static_cast<std::uint16_t>(base + slot)};
}

// Reads a record from storage field by field, or writes one: one description serves both, so that
// they can't differ. The first failure is the last: fields after it are left alone.
class Codec {
  public:
    enum class Direction : std::uint8_t { Load, Store };

    Codec(hal::Storage& storage, hal::RecordId id, Direction direction)
        : storage_(storage), id_(id), is_load_(direction == Direction::Load) {
        if (is_load_) fetch();
        std::uint8_t format = kFormat;
        number(format);
        require(format == kFormat);
    }

    // Whatever is wrong with stored bytes is one error: this is not a record of ours.
    void require(bool is_right) {
        if (!is_right && status_) status_ = Error::Malformed;
    }
    // Big-endian, of the size of its type.
    template <class T>
    void number(T& value) {
        const std::uint32_t loaded = transfer(value, sizeof(T));
        if (is_load_) value = static_cast<T>(loaded);
    }
    // An enumerator or bool, of one byte and at most `max`.
    template <class T>
    void choice(T& value, T max) {
        auto byte = static_cast<std::uint8_t>(value);
        number(byte);
        require(byte <= static_cast<std::uint8_t>(max));
        if (is_load_ && status_) value = static_cast<T>(byte);
    }
    void fixed(MutBytes field) {
        const MutBytes place = take(field.size());
        if (place.empty()) return;
        const MutBytes& to = is_load_ ? field : place;
        std::ranges::copy(is_load_ ? place : field, to.begin());
    }
    // Bytes of variable size: one byte of size, then the bytes.
    template <std::size_t N>
    void sized(FixedBytes<N>& field) {
        field.resize(size_of(field.size(), N));
        fixed(field.fill());
    }

    // All has been loaded, or is stored.
    Status finish() {
        if (!status_) return status_;
        if (!is_load_) return storage_.store(id_, Bytes{scratch_.bytes()}.first(at_));
        require(at_ == end_);
        return status_;
    }

  private:
    // The size of a field that has `size` now.
    std::size_t size_of(std::size_t size, std::size_t max) {
        auto coded = static_cast<std::uint8_t>(size);
        number(coded);
        require(coded <= max);
        return status_ ? coded : size;
    }
    void fetch() {
        const auto size = storage_.load(id_, scratch_.bytes());
        if (size) {
            end_ = *size;
        } else {
            status_ = size.error();
        }
    }
    // The next bytes of the record; none after a failure.
    MutBytes take(std::size_t size) {
        require(size <= end_ - at_);
        if (!status_) return {};
        at_ += size;
        return scratch_.bytes().subspan(at_ - size, size);
    }
    std::uint32_t transfer(std::uint32_t value, std::size_t size) {
        const MutBytes place = take(size);
        std::uint32_t loaded = 0;
        for (std::size_t i = 0; i < place.size(); ++i) {
            if (!is_load_) place[i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
            loaded = loaded << 8 | place[i];
        }
        return loaded;
    }

    hal::Storage& storage_;
    hal::RecordId id_;
    Status status_;
    bool is_load_;
    std::size_t at_ = 0;
    std::size_t end_ = kRecordSizeMax;
    Scratch<kRecordSizeMax> scratch_;
};

void describe(Codec& codec, Identity& identity) {
    codec.fixed(identity.private_key.fill());
    codec.sized(identity.credential);
}

void describe(Codec& codec, DeviceRoot& root) {
    codec.number(root.epoch);
    codec.number(root.generation);
    codec.choice(root.owner_state, OwnerState::Owned);
    codec.sized(root.owner);
    codec.require(root.owner.empty() == (root.owner_state == OwnerState::None));
    codec.fixed(root.token_key.fill());
    codec.fixed(root.pairing_secret.fill());
}

void describe(Codec& codec, CloudRecord& cloud) {
    codec.number(cloud.epoch);
    codec.number(cloud.version);
    codec.sized(cloud.address);
    codec.fixed(cloud.credential_hash);
    codec.fixed(cloud.claim);
}

void describe(Codec& codec, PeerRecord& peer) {
    codec.choice(peer.is_paired, true);
    codec.number(peer.generation);
    codec.sized(peer.credential);
    codec.fixed(peer.token_key.fill());
}

void describe(Codec& codec, RevokedTokens& revoked) {
    codec.number(revoked.generation);
    for (RevokedTokens::Token& token : revoked.tokens) {
        codec.fixed(token.id);
        codec.number(token.not_after);
    }
}

void describe(Codec& codec, TokenBytes& token) { codec.sized(token); }

void describe(Codec& codec, const SessionParts& session) {
    codec.number(session.head.epoch);
    codec.number(session.head.role);
    codec.number(session.head.peer);
    codec.fixed(session.keys.sender_key.fill());
    codec.fixed(session.keys.recipient_key.fill());
    codec.fixed(session.keys.common_iv.fill());
    codec.sized(session.keys.sender_id);
    codec.sized(session.head.recipient_id);
}

void describe(Codec& codec, CounterRecord& counters) {
    codec.fixed(counters.tag);
    codec.number(counters.reserved);
    codec.number(counters.floor);
    codec.number(counters.age_s);
    codec.number(counters.failures);
}

void describe(Codec& codec, ResultRecord& result) {
    codec.fixed(result.tag);
    codec.number(result.piv);
    codec.number(result.code);
    codec.choice(result.has_payload, true);
    codec.sized(result.payload);
}

// One path for records of all types: what they are made of is a parameter.
using Description = void (*)(Codec&, const void* value);

template <class T>
void describe_as(Codec& codec, const void* value) {
    describe(codec, *static_cast<T*>(const_cast<void*>(value)));  // one that stores only reads it
}

Status transfer(hal::Storage& storage,
                hal::RecordId id,
                Codec::Direction way,
                Description what,
                const void* value) {
    Codec codec{storage, id, way};
    what(codec, value);
    return codec.finish();
}

template <class T>
Status load_into(hal::Storage& storage, hal::RecordId id, T& value) {
    return transfer(storage, id, Codec::Direction::Load, describe_as<T>, &value);
}

template <class T>
Result<T> load(hal::Storage& storage, hal::RecordId id) {
    Result<T> value{std::in_place};
    if (const Status loaded = load_into(storage, id, *value); !loaded) value = loaded.error();
    return value;
}

template <class T>
Status store(hal::Storage& storage, hal::RecordId id, const T& value) {
    return transfer(storage, id, Codec::Direction::Store, describe_as<T>, &value);
}

SessionParts parts_of(StoredSession& session) {
    return {.head = session.head, .keys = session.keys, .counters = session.counters};
}

}  // namespace

SessionTag session_tag(const crypto::AeadKey& one, const crypto::AeadKey& other) {
    const crypto::Hash first = crypto::sha256(one.expose());
    const crypto::Hash second = crypto::sha256(other.expose());
    SessionTag tag;
    for (std::size_t i = 0; i < kTagSize; ++i) {
        tag[i] = static_cast<std::uint8_t>(first[i] ^ second[i]);
    }
    return tag;
}

Status load_identity(hal::Storage& storage, Identity& identity) {
    return load_into(storage, record(kIdentityRecord), identity);
}
Result<Identity> load_identity(hal::Storage& storage) {
    return load<Identity>(storage, record(kIdentityRecord));
}
Status store_identity(hal::Storage& storage, const Identity& identity) {
    return store(storage, record(kIdentityRecord), identity);
}

Status load_root(hal::Storage& storage, DeviceRoot& root) {
    return load_into(storage, record(kRootRecord), root);
}
Result<DeviceRoot> load_root(hal::Storage& storage) {
    return load<DeviceRoot>(storage, record(kRootRecord));
}
Status store_root(hal::Storage& storage, const DeviceRoot& root) {
    return store(storage, record(kRootRecord), root);
}

Status load_cloud(hal::Storage& storage, CloudRecord& cloud) {
    return load_into(storage, record(kCloudRecord), cloud);
}
Result<CloudRecord> load_cloud(hal::Storage& storage) {
    return load<CloudRecord>(storage, record(kCloudRecord));
}
Status store_cloud(hal::Storage& storage, const CloudRecord& cloud) {
    return store(storage, record(kCloudRecord), cloud);
}

Status load_trial_cloud(hal::Storage& storage, CloudRecord& cloud) {
    return load_into(storage, record(kTrialCloudRecord), cloud);
}
Status store_trial_cloud(hal::Storage& storage, const CloudRecord& cloud) {
    return store(storage, record(kTrialCloudRecord), cloud);
}
Status erase_trial_cloud(hal::Storage& storage) { return storage.erase(record(kTrialCloudRecord)); }

Result<PeerRecord> load_peer(hal::Storage& storage) {
    return load<PeerRecord>(storage, record(kPeerRecord));
}
Status store_peer(hal::Storage& storage, const PeerRecord& peer) {
    return store(storage, record(kPeerRecord), peer);
}

Status load_revoked(hal::Storage& storage, RevokedTokens& revoked) {
    return load_into(storage, record(kRevokedRecord), revoked);
}
Status store_revoked(hal::Storage& storage, const RevokedTokens& revoked) {
    return store(storage, record(kRevokedRecord), revoked);
}

Status load_token(hal::Storage& storage, TokenBytes& token) {
    return load_into(storage, record(kTokenRecord), token);
}
Status store_token(hal::Storage& storage, const TokenBytes& token) {
    return store(storage, record(kTokenRecord), token);
}
Status erase_token(hal::Storage& storage) { return storage.erase(record(kTokenRecord)); }

Status load_result(hal::Storage& storage, std::uint8_t slot, ResultRecord& result) {
    return load_into(storage, record(kResultRecords, slot), result);
}
Result<ResultRecord> load_result(hal::Storage& storage, std::uint8_t slot) {
    return load<ResultRecord>(storage, record(kResultRecords, slot));
}
Status store_result(hal::Storage& storage, std::uint8_t slot, const ResultRecord& result) {
    return store(storage, record(kResultRecords, slot), result);
}

Status load_session(hal::Storage& storage, std::uint8_t slot, const SessionParts& session) {
    SOTTO_TRY(load_into(storage, record(kSessionRecords, slot), session));
    SOTTO_TRY(load_into(storage, record(kCounterRecords, slot), session.counters));
    if (session.counters.tag != session_tag(session.keys.sender_key, session.keys.recipient_key))
        return Error::NotFound;
    return {};
}

Result<StoredSession> load_session(hal::Storage& storage, std::uint8_t slot) {
    Result<StoredSession> session{std::in_place};
    const Status loaded = load_session(storage, slot, parts_of(*session));
    if (!loaded) session = loaded.error();
    return session;
}

Status store_session(hal::Storage& storage, std::uint8_t slot, const SessionParts& session) {
    SOTTO_TRY(storage.erase(record(kSessionRecords, slot)));
    SOTTO_TRY(store_counters(storage, slot, session.counters));
    return store(storage, record(kSessionRecords, slot), session);
}

Status store_session(hal::Storage& storage, std::uint8_t slot, const StoredSession& session) {
    return store_session(storage, slot, parts_of(const_cast<StoredSession&>(session)));
}

Status store_counters(hal::Storage& storage, std::uint8_t slot, const CounterRecord& counters) {
    return store(storage, record(kCounterRecords, slot), counters);
}

Status load_counters(hal::Storage& storage, std::uint8_t slot, CounterRecord& counters) {
    return load_into(storage, record(kCounterRecords, slot), counters);
}

Result<CounterRecord> load_counters(hal::Storage& storage, std::uint8_t slot) {
    return load<CounterRecord>(storage, record(kCounterRecords, slot));
}

Status erase_session(hal::Storage& storage, std::uint8_t slot) {
    return storage.erase(record(kSessionRecords, slot));
}

}  // namespace sotto::keystore
