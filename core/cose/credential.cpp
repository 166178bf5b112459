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
        SOTTO_TRY(check_form());
        walk(Level::Claims);
        in_.require((seen_ & kSeenKey) != 0);
        in_.require(kty_ == kKeyTypeEc2 && crv_ == kCurveP256, Error::Unsupported);
        in_.require(x_.size() == crypto::kDhSize);
        SOTTO_TRY(in_.finish());
        return import_point() ? Status{} : Error::Malformed;
    }

  private:
    enum class Level : std::uint8_t { Claims, Confirmation, Key };

    // Well-formed as a whole, and not too deep.
    Status check_form() const {
        cbor::Reader all = in_;
        all.skip();
        return all.status();
    }

    Status import_point() const {
        const auto x = x_.first<crypto::kDhSize>();
        crypto::DhPublicKey& point = credential_.public_key_;
        return y_.empty() ? crypto::dh_import_x(x, point)
                          : crypto::dh_import(x, y_.first<crypto::kDhSize>(), point);
    }

    // Takes a map, pair by pair.
    void walk(Level level) {
        for (std::size_t count = in_.map(); count > 0; --count) pair(level, number());
    }

    // Takes an item: one of the numbers that matter here, or kUnknown.
    std::int32_t number() {
        const bool is_negative = in_.next_is(cbor::Kind::Negative);
        if (!is_negative && !in_.next_is(cbor::Kind::Unsigned)) {
            in_.skip();
            return kUnknown;
        }
        const std::uint64_t argument = in_.head().argument;
        if (argument >= kUnknown) return kUnknown;
        const auto value = static_cast<std::int32_t>(argument);
        return is_negative ? -1 - value : value;
    }

    // Takes the value that belongs to the key.
    void pair(Level level, std::int32_t key) {
        if (level == Level::Key && key >= kKeyD && key <= kKeyId && key != 0) {
            key_parameter(key);
        } else if (level == Level::Claims && key == kClaimSubject) {
            once(kSeenSubject);
            credential_.subject_ = part(as_bytes(in_.text()));
        } else if (level == Level::Claims && key == kClaimConfirmation) {
            once(kSeenConfirmation);
            walk(Level::Confirmation);
        } else if (level == Level::Confirmation && key == kConfirmationKey) {
            once(kSeenKey);
            walk(Level::Key);
        } else {
            in_.skip();
        }
    }

    void key_parameter(std::int32_t key) {
        in_.require(key != kKeyD);  // a private key has no place in a credential
        once(static_cast<std::uint16_t>(kSeenFirstParameter << (key - kKeyD)));
        if (key == kKeyType) {
            kty_ = number();
        } else if (key == kKeyCurve) {
            crv_ = number();
        } else if (key == kKeyY && in_.next_is(cbor::Kind::Simple)) {
            in_.boolean();  // RFC 9053 §7.1.1: its sign; ECDH needs none
        } else if (key == kKeyId) {
            credential_.kid_ = part(in_.bytes());
            credential_.has_kid_ = true;
        } else {
            const Bytes coordinate = in_.bytes();
            in_.require(coordinate.size() == crypto::kDhSize);
            (key == kKeyX ? x_ : y_) = coordinate;
        }
    }

    // RFC 8949 §5.6: a map with a key twice is not valid.
    void once(std::uint16_t what) {
        in_.require((seen_ & what) == 0);
        seen_ = static_cast<std::uint16_t>(seen_ | what);
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
    std::int32_t kty_ = 0;
    std::int32_t crv_ = 0;
    Bytes x_;
    Bytes y_;
};

Status Credential::parse(Bytes ccs, Credential& credential) {
    if (ccs.size() > kCredentialSizeMax) return Error::TooLarge;
    credential.subject_ = {};
    credential.has_kid_ = false;
    std::copy(ccs.begin(), ccs.end(), credential.bytes_.begin());
    credential.size_ = static_cast<std::uint8_t>(ccs.size());
    SOTTO_TRY(CredentialParser{credential}.run());
    credential.hash_ = crypto::sha256(ccs);
    return {};
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
