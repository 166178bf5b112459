// SPDX-License-Identifier: Apache-2.0
#include "app/client/records.hpp"

#include "app/client/part.hpp"
#include "core/base/secret.hpp"

namespace sotto::app {
namespace {

// docs/formats/app_state.md lists these numbers; retired ones stay reserved.
constexpr hal::RecordId kAccountRecord{0x0081};
constexpr hal::RecordId kNameRecord{0x0082};
constexpr hal::RecordId kHeirRecord{0x0083};
constexpr hal::RecordId kTagKeyRecord{0x0084};
constexpr hal::RecordId kAppIdRecord{0x0481};

constexpr std::uint8_t kFormat = 1;  // first byte of every record
constexpr std::size_t kRecordSizeMax = 1'536;
constexpr std::size_t kPartSizeMax = 512;
constexpr std::uint8_t kAllowClear = 1;  // flags of a login
constexpr std::uint8_t kHasPin = 2;

Result<Account> decode_account(Reader& in) {
    Account account;
    SOTTO_TRY_ASSIGN(account.url, read_text(in));
    SOTTO_TRY_ASSIGN(account.token, read_text(in));
    SOTTO_TRY_ASSIGN(const std::uint8_t flags, in.u8());
    if (flags > (kAllowClear | kHasPin)) return Error::Malformed;
    account.allow_clear = (flags & kAllowClear) != 0;
    SOTTO_TRY_ASSIGN(const Bytes credential, read_part(in));
    account.credential.assign(credential.begin(), credential.end());
    SOTTO_TRY_ASSIGN(account.address, read_text(in));
    if ((flags & kHasPin) == 0) return account;
    auto& pin = account.pin.emplace();
    SOTTO_TRY_ASSIGN(const Bytes bytes, in.take(pin.size()));
    std::copy(bytes.begin(), bytes.end(), pin.begin());
    return account;
}

Result<AppId> decode_app_id(Reader& in) {
    AppId id{};
    SOTTO_TRY_ASSIGN(const Bytes bytes, in.take(id.size()));
    std::copy(bytes.begin(), bytes.end(), id.begin());
    return id;
}

template <class T>
Result<T> read_secret(Reader& in) {
    SOTTO_TRY_ASSIGN(const Bytes bytes, in.take(T::kSize));
    return T{bytes.first<T::kSize>()};
}

Result<Heir> decode_heir(Reader& in) {
    Heir heir;
    SOTTO_TRY_ASSIGN(heir.identity.private_key, read_secret<crypto::DhPrivateKey>(in));
    SOTTO_TRY_ASSIGN(heir.token_key, read_secret<keystore::TokenKey>(in));
    SOTTO_TRY_ASSIGN(const Bytes credential, read_part(in));
    SOTTO_TRY_ASSIGN(heir.identity.credential, keystore::CredentialBytes::from(credential));
    return heir;
}

// Loads a record and gives its body to `decode`, which must take all of it.
template <class T>
Result<T> load(hal::Storage& storage, hal::RecordId id, Result<T> (*decode)(Reader&)) {
    Scratch<kRecordSizeMax> scratch;
    SOTTO_TRY_ASSIGN(const std::size_t size, storage.load(id, scratch.bytes()));
    Reader in{scratch.bytes().first(size)};
    const auto format = in.u8();
    if (!format || *format != kFormat) return Error::Malformed;
    auto decoded = decode(in);
    if (!decoded || !in.empty()) return Error::Malformed;
    return decoded;
}

}  // namespace

Result<Account> load_account(hal::Storage& storage) {
    return load(storage, kAccountRecord, decode_account);
}

Status store_account(hal::Storage& storage, const Account& account) {
    const std::size_t sizes[] = {account.url.size(),
                                 account.token.size(),
                                 account.credential.size(),
                                 account.address.size()};
    for (const std::size_t size : sizes) {
        if (size > kPartSizeMax) return Error::TooLarge;
    }
    Scratch<kRecordSizeMax> scratch;
    Writer out{scratch.bytes()};
    out.u8(kFormat);
    write_part(out, as_bytes(account.url));
    write_part(out, as_bytes(account.token));
    out.u8(static_cast<std::uint8_t>((account.allow_clear ? kAllowClear : 0) |
                                     (account.pin ? kHasPin : 0)));
    write_part(out, account.credential);
    write_part(out, as_bytes(account.address));
    if (account.pin) out.bytes(*account.pin);
    const auto record = out.finish();
    return record ? storage.store(kAccountRecord, *record) : Status{Error::TooLarge};
}

Result<std::string> load_name(hal::Storage& storage) {
    return load(storage, kNameRecord, read_text);
}

Status store_name(hal::Storage& storage, const std::string& name) {
    if (name.size() > kPartSizeMax) return Error::TooLarge;
    std::array<std::uint8_t, kPartSizeMax + 3> buffer{};
    Writer out{buffer};
    out.u8(kFormat);
    write_part(out, as_bytes(name));
    return storage.store(kNameRecord, out.written());
}

Result<Heir> load_heir(hal::Storage& storage) { return load(storage, kHeirRecord, decode_heir); }

Status store_heir(hal::Storage& storage, const Heir& heir) {
    Scratch<kRecordSizeMax> scratch;
    Writer out{scratch.bytes()};
    out.u8(kFormat);
    out.bytes(heir.identity.private_key.expose()).bytes(heir.token_key.expose());
    write_part(out, heir.identity.credential);
    SOTTO_TRY_ASSIGN(const Bytes record, out.finish());
    return storage.store(kHeirRecord, record);
}

Status erase_heir(hal::Storage& storage) { return storage.erase(kHeirRecord); }

Result<session::TagKey> load_tag_key(hal::Storage& storage) {
    return load(storage, kTagKeyRecord, read_secret<session::TagKey>);
}

Status store_tag_key(hal::Storage& storage, const session::TagKey& key) {
    Scratch<1 + session::kTagKeySize> scratch;
    Writer out{scratch.bytes()};
    out.u8(kFormat).bytes(key.expose());
    return storage.store(kTagKeyRecord, out.written());
}

Status erase_tag_key(hal::Storage& storage) { return storage.erase(kTagKeyRecord); }

Result<AppId> load_app_id(hal::Storage& storage) {
    return load(storage, kAppIdRecord, decode_app_id);
}

Status store_app_id(hal::Storage& storage, const AppId& id) {
    std::array<std::uint8_t, 1 + sizeof(AppId)> buffer{};
    Writer out{buffer};
    out.u8(kFormat).bytes(id);
    return storage.store(kAppIdRecord, out.written());
}

}  // namespace sotto::app
