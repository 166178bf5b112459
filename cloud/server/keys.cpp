// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/keys.hpp"

#include <array>
#include <vector>

#include "core/base/hex.hpp"
#include "core/base/secret.hpp"
#include "core/cose/credential.hpp"
#include "core/crypto/dh.hpp"
#include "core/crypto/hkdf.hpp"
#include "core/keystore/private_key.hpp"
#include "ports/linux/file.hpp"
#include "ports/linux/journal.hpp"

namespace sotto::cloud::server {

using ports::Failure;
using ports::Outcome;
namespace journal = ports::journal;

namespace {

constexpr hal::RecordId kRunName{0x0081};
constexpr std::size_t kRunNameSizeMax = 64;
constexpr int kTriesMax = 3;
constexpr std::string_view kGuestInfo = "sotto cloud guest 1";

// As random as what it is made from, and always the same.
class DerivedEntropy final : public hal::Entropy {
  public:
    DerivedEntropy(Bytes secret, std::string_view info)
        : prk_(crypto::hkdf_extract({}, secret)), info_(info) {
        info_.push_back('\0');
    }
    Status fill(MutBytes out) override {
        ++info_.back();
        return crypto::hkdf_expand(prk_, as_bytes(info_), out);
    }

  private:
    crypto::Prk prk_;
    std::string info_;  // ends with the number of the draw
};

// What a journal holds, as somebody else sees it.
class View final : public hal::Storage {
  public:
    explicit View(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {
        const auto contents = journal::scan(bytes_);
        is_whole_ = contents.has_value();
        if (contents) records_ = contents->records;
    }
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View() { wipe(bytes_); }

    bool is_whole() const { return is_whole_; }
    Result<std::size_t> load(hal::RecordId id, MutBytes out) override {
        const auto found = records_.find(id);
        if (found == records_.end()) return Error::NotFound;
        const auto entry =
            journal::parse_entry(Bytes{bytes_}.subspan(found->second.offset, found->second.size));
        if (!entry || entry->record.size() > out.size()) return Error::NoSpace;
        std::copy(entry->record.begin(), entry->record.end(), out.begin());
        return entry->record.size();
    }
    Status store(hal::RecordId, Bytes) override { return Error::Refused; }
    Status erase(hal::RecordId) override { return Error::Refused; }

  private:
    std::vector<std::uint8_t> bytes_;
    std::map<hal::RecordId, journal::Place> records_;
    bool is_whole_ = false;
};

}  // namespace

Outcome<keystore::Identity> read_identity(const std::string& state) {
    const std::string path = state + "/" + kKeysName + "/journal";
    // It may be replaced while it is read, when the cloud starts.
    for (int i = 0; i < kTriesMax; ++i) {
        SOTTO_TRY_ASSIGN(auto bytes, ports::read_file(path, journal::kSizeMax));
        View view{std::move(bytes)};
        if (!view.is_whole()) continue;
        auto identity = keystore::load_identity(view);
        if (identity) return *std::move(identity);
        if (identity.error() == Error::NotFound)
            return Failure{Error::NotFound, "there is no key in " + state};
    }
    return Failure{Error::Malformed,
                   path + " is damaged; put back a copy of it or restore a backup of the cloud"};
}

bool match(const keystore::Identity& identity) {
    const auto credential = cose::Credential::parse(identity.credential);
    return credential && credential->public_key() == crypto::dh_public(identity.private_key);
}

Result<keystore::Identity> derive_guest_identity(const keystore::Identity& cloud) {
    DerivedEntropy entropy{cloud.private_key.expose(), kGuestInfo};
    SOTTO_TRY_ASSIGN(crypto::DhPrivateKey key, keystore::draw_private_key(entropy));
    std::array<std::uint8_t, 8> label{};
    SOTTO_TRY(entropy.fill(label));
    SOTTO_TRY_ASSIGN(const auto credential,
                     cose::Credential::create("cloud-guest-" + to_hex<std::string>(label),
                                              crypto::dh_public(key)));
    return keystore::Identity{std::move(key), keystore::CredentialBytes{credential.bytes()}};
}

std::optional<std::string> load_run_name(hal::Storage& keys) {
    std::array<std::uint8_t, kRunNameSizeMax> name{};
    const auto size = keys.load(kRunName, name);
    if (!size) return std::nullopt;
    return std::string{as_text(Bytes{name}.first(*size))};
}

Status store_run_name(hal::Storage& keys, const std::string& name) {
    return keys.store(kRunName, as_bytes(name));
}

}  // namespace sotto::cloud::server
