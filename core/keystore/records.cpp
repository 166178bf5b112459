// SPDX-License-Identifier: Apache-2.0
#include "core/keystore/records.hpp"

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"

namespace sotto::keystore {
namespace {

// docs/formats/records.md lists these numbers; retired ones stay reserved.
constexpr std::uint16_t kIdentityRecord = 0x0001;
constexpr std::uint16_t kRootRecord = 0x0002;
constexpr std::uint16_t kCloudRecord = 0x0003;
constexpr std::uint16_t kPeerRecord = 0x0004;
constexpr std::uint16_t kSessionRecords = 0x0100;  // + slot
constexpr std::uint16_t kCounterRecords = 0x0200;  // + slot
constexpr std::uint16_t kResultRecords = 0x0300;   // + slot

constexpr std::uint8_t kFormat = 1;  // first byte of every record
constexpr std::size_t kRecordSizeMax = 320;

hal::RecordId record(std::uint16_t base, std::uint8_t slot = 0) {
    return hal::RecordId{static_cast<std::uint16_t>(base + slot)};
}

template <std::size_t N>
Status read_into(Reader& in, MutBytesN<N> out) {
    SOTTO_TRY_ASSIGN(const Bytes bytes, in.take(N));
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return {};
}

template <std::size_t N, class Tag>
Status read_into(Reader& in, Secret<N, Tag>& secret) {
    return read_into<N>(in, secret.fill());
}

// Bytes of variable size: one byte of size, then the bytes.
template <std::size_t N>
Status read_sized(Reader& in, FixedBytes<N>& out) {
    SOTTO_TRY_ASSIGN(const std::uint8_t size, in.u8());
    SOTTO_TRY_ASSIGN(const Bytes bytes, in.take(size));
    SOTTO_TRY_ASSIGN(out, FixedBytes<N>::from(bytes));
    return {};
}

void write_sized(Writer& out, Bytes bytes) {
    out.u8(static_cast<std::uint8_t>(bytes.size())).bytes(bytes);
}

// Whatever is wrong with stored bytes is one error: this is not a record of ours.
Status malformed_unless(const Status& status) {
    if (!status) return Error::Malformed;
    return {};
}

// Loads a record and gives its body to `decode`, which must take all of it.
template <class T>
Result<T> load(hal::Storage& storage, hal::RecordId id, Status (*decode)(Reader&, T&)) {
    Scratch<kRecordSizeMax> scratch;
    SOTTO_TRY_ASSIGN(const std::size_t size, storage.load(id, scratch.bytes()));
    Reader in{Bytes{scratch.bytes()}.first(size)};
    const auto format = in.u8();
    if (!format || *format != kFormat) return Error::Malformed;
    T value;
    SOTTO_TRY(malformed_unless(decode(in, value)));
    SOTTO_TRY(in.finish());
    return value;
}

template <class T>
Status store(hal::Storage& storage,
             hal::RecordId id,
             const T& value,
             void (*encode)(Writer&, const T&)) {
    Scratch<kRecordSizeMax> scratch;
    Writer out{scratch.bytes()};
    out.u8(kFormat);
    encode(out, value);
    SOTTO_TRY_ASSIGN(const Bytes bytes, out.finish());
    return storage.store(id, bytes);
}

Status decode_identity(Reader& in, Identity& identity) {
    SOTTO_TRY(read_into(in, identity.private_key));
    return read_sized(in, identity.credential);
}

void encode_identity(Writer& out, const Identity& identity) {
    out.bytes(identity.private_key.expose());
    write_sized(out, identity.credential);
}

Status decode_root(Reader& in, DeviceRoot& root) {
    SOTTO_TRY_ASSIGN(root.epoch, in.u32_be());
    SOTTO_TRY_ASSIGN(root.generation, in.u32_be());
    SOTTO_TRY_ASSIGN(const std::uint8_t state, in.u8());
    if (state > static_cast<std::uint8_t>(OwnerState::Owned)) return Error::Malformed;
    root.owner_state = static_cast<OwnerState>(state);
    SOTTO_TRY(read_sized(in, root.owner));
    if (root.owner.empty() != (root.owner_state == OwnerState::None)) return Error::Malformed;
    SOTTO_TRY(read_into(in, root.token_key));
    return read_into(in, root.pairing_secret);
}

void encode_root(Writer& out, const DeviceRoot& root) {
    out.u32_be(root.epoch).u32_be(root.generation);
    out.u8(static_cast<std::uint8_t>(root.owner_state));
    write_sized(out, root.owner);
    out.bytes(root.token_key.expose()).bytes(root.pairing_secret.expose());
}

Status decode_cloud(Reader& in, CloudRecord& cloud) {
    SOTTO_TRY_ASSIGN(cloud.epoch, in.u32_be());
    SOTTO_TRY_ASSIGN(cloud.version, in.u32_be());
    SOTTO_TRY(read_sized(in, cloud.address));
    SOTTO_TRY(read_into<crypto::kHashSize>(in, cloud.credential_hash));
    return read_into<kClaimSize>(in, cloud.claim);
}

void encode_cloud(Writer& out, const CloudRecord& cloud) {
    out.u32_be(cloud.epoch).u32_be(cloud.version);
    write_sized(out, cloud.address);
    out.bytes(cloud.credential_hash).bytes(cloud.claim);
}

Status decode_peer(Reader& in, PeerRecord& peer) {
    SOTTO_TRY_ASSIGN(const std::uint8_t paired, in.u8());
    if (paired > 1) return Error::Malformed;
    peer.is_paired = paired == 1;
    SOTTO_TRY_ASSIGN(peer.generation, in.u32_be());
    SOTTO_TRY(read_sized(in, peer.credential));
    return read_into(in, peer.token_key);
}

void encode_peer(Writer& out, const PeerRecord& peer) {
    out.u8(peer.is_paired ? 1 : 0).u32_be(peer.generation);
    write_sized(out, peer.credential);
    out.bytes(peer.token_key.expose());
}

Status decode_session(Reader& in, SessionRecord& session) {
    SOTTO_TRY_ASSIGN(session.epoch, in.u32_be());
    SOTTO_TRY_ASSIGN(session.role, in.u8());
    SOTTO_TRY_ASSIGN(session.peer, in.u8());
    SOTTO_TRY(read_into(in, session.sender_key));
    SOTTO_TRY(read_into(in, session.recipient_key));
    SOTTO_TRY(read_into(in, session.common_iv));
    SOTTO_TRY(read_sized(in, session.sender_id));
    return read_sized(in, session.recipient_id);
}

void encode_session(Writer& out, const SessionRecord& session) {
    out.u32_be(session.epoch).u8(session.role).u8(session.peer);
    out.bytes(session.sender_key.expose()).bytes(session.recipient_key.expose());
    out.bytes(session.common_iv.expose());
    write_sized(out, session.sender_id);
    write_sized(out, session.recipient_id);
}

Status decode_counters(Reader& in, CounterRecord& counters) {
    SOTTO_TRY(read_into<kTagSize>(in, counters.tag));
    SOTTO_TRY_ASSIGN(counters.reserved, in.u32_be());
    SOTTO_TRY_ASSIGN(counters.floor, in.u32_be());
    SOTTO_TRY_ASSIGN(counters.age_s, in.u32_be());
    SOTTO_TRY_ASSIGN(counters.failures, in.u16_be());
    return {};
}

void encode_counters(Writer& out, const CounterRecord& counters) {
    out.bytes(counters.tag).u32_be(counters.reserved).u32_be(counters.floor);
    out.u32_be(counters.age_s).u16_be(counters.failures);
}

Status decode_result(Reader& in, ResultRecord& result) {
    SOTTO_TRY(read_into<kTagSize>(in, result.tag));
    SOTTO_TRY_ASSIGN(result.piv, in.u32_be());
    SOTTO_TRY_ASSIGN(result.code, in.u8());
    SOTTO_TRY_ASSIGN(const std::uint8_t has_payload, in.u8());
    if (has_payload > 1) return Error::Malformed;
    result.has_payload = has_payload == 1;
    return read_sized(in, result.payload);
}

void encode_result(Writer& out, const ResultRecord& result) {
    out.bytes(result.tag).u32_be(result.piv).u8(result.code).u8(result.has_payload ? 1 : 0);
    write_sized(out, result.payload);
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

Result<Identity> load_identity(hal::Storage& storage) {
    return load(storage, record(kIdentityRecord), decode_identity);
}
Status store_identity(hal::Storage& storage, const Identity& identity) {
    return store(storage, record(kIdentityRecord), identity, encode_identity);
}

Result<DeviceRoot> load_root(hal::Storage& storage) {
    return load(storage, record(kRootRecord), decode_root);
}
Status store_root(hal::Storage& storage, const DeviceRoot& root) {
    return store(storage, record(kRootRecord), root, encode_root);
}

Result<CloudRecord> load_cloud(hal::Storage& storage) {
    return load(storage, record(kCloudRecord), decode_cloud);
}
Status store_cloud(hal::Storage& storage, const CloudRecord& cloud) {
    return store(storage, record(kCloudRecord), cloud, encode_cloud);
}

Result<PeerRecord> load_peer(hal::Storage& storage) {
    return load(storage, record(kPeerRecord), decode_peer);
}
Status store_peer(hal::Storage& storage, const PeerRecord& peer) {
    return store(storage, record(kPeerRecord), peer, encode_peer);
}

Result<ResultRecord> load_result(hal::Storage& storage, std::uint8_t slot) {
    return load(storage, record(kResultRecords, slot), decode_result);
}
Status store_result(hal::Storage& storage, std::uint8_t slot, const ResultRecord& result) {
    return store(storage, record(kResultRecords, slot), result, encode_result);
}

Result<StoredSession> load_session(hal::Storage& storage, std::uint8_t slot) {
    SOTTO_TRY_ASSIGN(SessionRecord keys,
                     load(storage, record(kSessionRecords, slot), decode_session));
    SOTTO_TRY_ASSIGN(const CounterRecord counters, load_counters(storage, slot));
    if (counters.tag != session_tag(keys.sender_key, keys.recipient_key)) return Error::NotFound;
    return StoredSession{.keys = std::move(keys), .counters = counters};
}

Status store_session(hal::Storage& storage, std::uint8_t slot, const StoredSession& session) {
    SOTTO_TRY(storage.erase(record(kSessionRecords, slot)));
    SOTTO_TRY(store_counters(storage, slot, session.counters));
    return store(storage, record(kSessionRecords, slot), session.keys, encode_session);
}

Status store_counters(hal::Storage& storage, std::uint8_t slot, const CounterRecord& counters) {
    return store(storage, record(kCounterRecords, slot), counters, encode_counters);
}

Result<CounterRecord> load_counters(hal::Storage& storage, std::uint8_t slot) {
    return load(storage, record(kCounterRecords, slot), decode_counters);
}

Status erase_session(hal::Storage& storage, std::uint8_t slot) {
    return storage.erase(record(kSessionRecords, slot));
}

}  // namespace sotto::keystore
