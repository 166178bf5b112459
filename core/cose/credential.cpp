// SPDX-License-Identifier: Apache-2.0
#include "core/cose/credential.hpp"

#include <optional>

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
        SOTTO_TRY(walk(&CredentialParser::claim));
        SOTTO_TRY(in_.finish());
        if (!kty_) return Error::Malformed;  // no key in it
        if (*kty_ != kKeyTypeEc2 || crv_ != kCurveP256) return Error::Unsupported;
        if (x_.size() != crypto::kDhSize) return Error::Malformed;
        auto point = y_.empty() ? crypto::dh_import_x(x_.first<crypto::kDhSize>())
                                : crypto::dh_import(x_.first<crypto::kDhSize>(),
                                                    y_.first<crypto::kDhSize>());
        if (!point) return Error::Malformed;
        credential_.public_key_ = *point;
        return {};
    }

  private:
    using Handler = Status (CredentialParser::*)(std::int64_t key);

    // Gives every pair with an integer key to the handler; text keys are other people's claims.
    Status walk(Handler handler) {
        SOTTO_TRY_ASSIGN(std::size_t count, in_.map());
        for (; count > 0; --count) {
            SOTTO_TRY_ASSIGN(const cbor::Kind kind, in_.peek());
            if (kind == cbor::Kind::Unsigned || kind == cbor::Kind::Negative) {
                SOTTO_TRY_ASSIGN(const std::int64_t key, in_.integer());
                SOTTO_TRY((this->*handler)(key));
            } else {
                SOTTO_TRY(in_.skip());
                SOTTO_TRY(in_.skip());
            }
        }
        return {};
    }

    Status claim(std::int64_t key) {
        if (key == kClaimSubject) {
            SOTTO_TRY(once(kSeenSubject));
            SOTTO_TRY_ASSIGN(const std::string_view text, in_.text());
            credential_.subject_ = part(as_bytes(text));
            return {};
        }
        if (key == kClaimConfirmation) {
            SOTTO_TRY(once(kSeenConfirmation));
            return walk(&CredentialParser::confirmation);
        }
        return skip();
    }

    Status confirmation(std::int64_t key) {
        if (key != kConfirmationKey) return skip();
        SOTTO_TRY(once(kSeenKey));
        return walk(&CredentialParser::key_parameter);
    }

    Status key_parameter(std::int64_t key) {
        if (key < kKeyD || key > kKeyId || key == 0) return skip();
        SOTTO_TRY(once(static_cast<std::uint16_t>(kSeenFirstParameter << (key - kKeyD))));
        if (key == kKeyType) return integer(kty_);
        if (key == kKeyCurve) return integer(crv_);
        if (key == kKeyD) return Error::Malformed;  // a private key has no place in a credential
        if (key == kKeyY && in_.peek().value_or(cbor::Kind::Bytes) == cbor::Kind::Simple) {
            SOTTO_TRY(in_.boolean());  // RFC 9053 §7.1.1: the sign; ECDH has no use for it
            return {};
        }
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

    Status integer(std::optional<std::int64_t>& out) {
        SOTTO_TRY_ASSIGN(out, in_.integer());
        return {};
    }

    Status skip() {
        SOTTO_TRY(in_.skip());
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

    static constexpr std::uint16_t kSeenSubject = 1;
    static constexpr std::uint16_t kSeenConfirmation = 2;
    static constexpr std::uint16_t kSeenKey = 4;
    static constexpr std::uint16_t kSeenFirstParameter = 8;

    Credential& credential_;
    cbor::Reader in_;
    std::uint16_t seen_ = 0;
    std::optional<std::int64_t> kty_;
    std::optional<std::int64_t> crv_;
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
