// SPDX-License-Identifier: Apache-2.0
#include "core/cose/credential.hpp"

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/cose/algorithm.hpp"

namespace sotto::cose {

// Walks over a CCS and notes where its parts are.
class CredentialParser {
  public:
    explicit CredentialParser(Credential& credential)
        : credential_(credential), in_(credential.bytes(), cbor::Rules::WellFormed) {}

    Status run() {
        SOTTO_TRY(cbor::Reader{in_}.skip());  // well-formed as a whole, and not too deep
        SOTTO_TRY(walk(Level::Claims));
        SOTTO_TRY(in_.finish());
        if ((seen_ & kSeenKey) == 0) return Error::Malformed;
        if (kty_ != kKeyTypeEc2 || crv_ != kCurveP256) return Error::Unsupported;
        if (x_.size() != crypto::kDhSize) return Error::Malformed;
        auto point = y_.empty() ? crypto::dh_import_x(x_.first<crypto::kDhSize>())
                                : crypto::dh_import(x_.first<crypto::kDhSize>(),
                                                    y_.first<crypto::kDhSize>());
        if (!point) return Error::Malformed;
        credential_.public_key_ = *point;
        return {};
    }

  private:
    enum class Level : std::uint8_t { Claims, Confirmation, Key };

    // Takes a map, pair by pair.
    Status walk(Level level) {
        SOTTO_TRY_ASSIGN(std::size_t count, in_.map());
        for (; count > 0; --count) {
            SOTTO_TRY_ASSIGN(const std::int32_t key, this->key());
            SOTTO_TRY(pair(level, key));
        }
        return {};
    }

    // Takes a key of a map: one of those that matter here, or kUnknown.
    Result<std::int32_t> key() {
        const auto integer = in_.integer();
        if (!integer) {
            SOTTO_TRY(in_.skip());
            return kUnknown;
        }
        const bool is_known = *integer >= kKeyD && *integer < kUnknown;
        return is_known ? static_cast<std::int32_t>(*integer) : kUnknown;
    }

    // Takes the value that belongs to the key.
    Status pair(Level level, std::int32_t key) {
        if (level == Level::Key && key <= kKeyId && key != 0) return key_parameter(key);
        if (level == Level::Claims && key == kClaimSubject) {
            SOTTO_TRY(once(kSeenSubject));
            SOTTO_TRY_ASSIGN(const std::string_view text, in_.text());
            credential_.subject_ = part(as_bytes(text));
            return {};
        }
        if (level == Level::Claims && key == kClaimConfirmation) {
            SOTTO_TRY(once(kSeenConfirmation));
            return walk(Level::Confirmation);
        }
        if (level == Level::Confirmation && key == kConfirmationKey) {
            SOTTO_TRY(once(kSeenKey));
            return walk(Level::Key);
        }
        SOTTO_TRY(in_.skip());
        return {};
    }

    Status key_parameter(std::int32_t key) {
        if (key == kKeyD) return Error::Malformed;  // a private key has no place in a credential
        SOTTO_TRY(once(static_cast<std::uint16_t>(kSeenFirstParameter << (key - kKeyD))));
        if (key == kKeyType) return integer(kty_);
        if (key == kKeyCurve) return integer(crv_);
        if (key == kKeyY && in_.boolean()) return {};  // RFC 9053 §7.1.1: its sign; ECDH needs none
        SOTTO_TRY_ASSIGN(const Bytes value, in_.bytes());
        if (key == kKeyId) {
            credential_.kid_ = part(value);
            credential_.has_kid_ = true;
            return {};
        }
        if (value.size() != crypto::kDhSize) return Error::Malformed;
        (key == kKeyX ? x_ : y_) = value;
        return {};
    }

    Status integer(std::int64_t& out) {
        SOTTO_TRY_ASSIGN(out, in_.integer());
        return {};
    }

    // RFC 8949 §5.6: a map with a key twice is not valid.
    Status once(std::uint16_t what) {
        if ((seen_ & what) != 0) return Error::Malformed;
        seen_ = static_cast<std::uint16_t>(seen_ | what);
        return {};
    }

    Credential::Part part(Bytes bytes) const {
        return {static_cast<std::uint8_t>(bytes.data() - credential_.bytes_.data()),
                static_cast<std::uint8_t>(bytes.size())};
    }

    static constexpr std::int32_t kUnknown = kClaimConfirmation + 1;  // stands for all others
    static constexpr std::uint16_t kSeenSubject = 1;
    static constexpr std::uint16_t kSeenConfirmation = 2;
    static constexpr std::uint16_t kSeenKey = 4;
    static constexpr std::uint16_t kSeenFirstParameter = 8;

    Credential& credential_;
    cbor::Reader in_;
    std::uint16_t seen_ = 0;
    std::int64_t kty_ = 0;
    std::int64_t crv_ = 0;
    Bytes x_;
    Bytes y_;
};

Result<Credential> Credential::parse(Bytes ccs) {
    if (ccs.size() > kCredentialSizeMax) return Error::TooLarge;
    Credential credential;
    std::copy(ccs.begin(), ccs.end(), credential.bytes_.begin());
    credential.size_ = static_cast<std::uint8_t>(ccs.size());
    SOTTO_TRY(CredentialParser{credential}.run());
    credential.hash_ = crypto::sha256(ccs);
    return credential;
}

Result<Credential> Credential::create(std::string_view subject,
                                      const crypto::DhPublicKey& public_key) {
    if (subject.empty() || subject.size() > kSubjectSizeMax) return Error::InvalidArgument;
    std::array<std::uint8_t, kCredentialSizeMax> buffer{};
    cbor::Writer out{buffer};
    out.map(2).integer(kClaimSubject).text(subject).integer(kClaimConfirmation);
    out.map(1).integer(kConfirmationKey);
    out.map(4).integer(kKeyType).integer(kKeyTypeEc2).integer(kKeyCurve).integer(kCurveP256);
    out.integer(kKeyX).bytes(public_key.x).integer(kKeyY).bytes(public_key.y);
    SOTTO_TRY_ASSIGN(const Bytes ccs, out.finish());
    auto credential = parse(ccs);
    if (!credential) return Error::InvalidArgument;
    return credential;
}

Bytes Credential::kid() const { return has_kid_ ? view(kid_) : Bytes{hash_}.first(kHashKidSize); }

}  // namespace sotto::cose
