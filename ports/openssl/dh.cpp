// SPDX-License-Identifier: Apache-2.0
// P-256 through EC_POINT rather than EVP_PKEY: the same constant-time assembly without building and
// checking a key object for every operation.
#include "core/crypto/dh.hpp"

#include <memory>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "core/base/assert.hpp"
#include "ports/openssl/error_mark.hpp"

namespace sotto::crypto {
namespace {

using ports::openssl::ErrorMark;

struct Free {
    void operator()(EC_GROUP* group) const { EC_GROUP_free(group); }
    void operator()(EC_POINT* point) const { EC_POINT_clear_free(point); }
    void operator()(BN_CTX* context) const { BN_CTX_free(context); }
    void operator()(BIGNUM* number) const { BN_clear_free(number); }
};

void require(int done) { SOTTO_ASSERT(done == 1); }

void read(BIGNUM* number, BytesN<kDhSize> bytes) {
    SOTTO_ASSERT(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number) != nullptr);
}

void write(const BIGNUM* number, MutBytesN<kDhSize> out) {
    const int written = BN_bn2binpad(number, out.data(), static_cast<int>(out.size()));
    SOTTO_ASSERT(written == static_cast<int>(out.size()));
}

// The curve and room to work in, made once per thread.
class Workspace {
  public:
    Workspace() {
        SOTTO_ASSERT(group_ && context_ && point_ && result_ && scalar_ && x_ && y_);
        BN_set_flags(scalar_.get(), BN_FLG_CONSTTIME);
    }

    DhPublicKey public_of(const DhPrivateKey& private_key) {
        read(scalar_.get(), private_key.expose());
        require(EC_POINT_mul(
            group_.get(), result_.get(), scalar_.get(), nullptr, nullptr, context_.get()));
        BN_clear(scalar_.get());
        return coordinates_of(result_.get());
    }

    // The point of x with the even y.
    Status decompress(BytesN<kDhSize> x, DhPublicKey& key) {
        read(x_.get(), x);
        if (!is_element(x_.get())) return Error::Malformed;
        if (EC_POINT_set_compressed_coordinates(
                group_.get(), point_.get(), x_.get(), 0, context_.get()) != 1)
            return Error::Malformed;
        key = coordinates_of(point_.get());
        return {};
    }

    // Whether (x, y) is a point of the curve; it is then in point_.
    bool load(BytesN<kDhSize> x, BytesN<kDhSize> y) {
        read(x_.get(), x);
        read(y_.get(), y);
        if (!is_element(x_.get()) || !is_element(y_.get())) return false;
        return EC_POINT_set_affine_coordinates(
                   group_.get(), point_.get(), x_.get(), y_.get(), context_.get()) == 1;
    }

    Status agree(const DhPrivateKey& private_key, DhSecret& secret) {
        read(scalar_.get(), private_key.expose());
        require(EC_POINT_mul(
            group_.get(), result_.get(), nullptr, point_.get(), scalar_.get(), context_.get()));
        BN_clear(scalar_.get());
        if (EC_POINT_is_at_infinity(group_.get(), result_.get()) == 1)
            return Error::Unauthenticated;
        require(EC_POINT_get_affine_coordinates(
            group_.get(), result_.get(), x_.get(), nullptr, context_.get()));
        write(x_.get(), secret.fill());
        BN_clear(x_.get());
        require(EC_POINT_set_to_infinity(group_.get(), result_.get()));
        return {};
    }

  private:
    // Below the prime. OpenSSL's set_..._coordinates() take anything and reduce it.
    bool is_element(const BIGNUM* number) const {
        return BN_cmp(number, EC_GROUP_get0_field(group_.get())) < 0;
    }
    DhPublicKey coordinates_of(const EC_POINT* point) {
        require(EC_POINT_get_affine_coordinates(
            group_.get(), point, x_.get(), y_.get(), context_.get()));
        DhPublicKey key;
        write(x_.get(), key.x);
        write(y_.get(), key.y);
        return key;
    }

    std::unique_ptr<EC_GROUP, Free> group_{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
    std::unique_ptr<BN_CTX, Free> context_{BN_CTX_new()};
    std::unique_ptr<EC_POINT, Free> point_{EC_POINT_new(group_.get())};
    std::unique_ptr<EC_POINT, Free> result_{EC_POINT_new(group_.get())};
    std::unique_ptr<BIGNUM, Free> scalar_{BN_new()};
    std::unique_ptr<BIGNUM, Free> x_{BN_new()};
    std::unique_ptr<BIGNUM, Free> y_{BN_new()};
};

Workspace& workspace() {
    thread_local Workspace workspace;
    return workspace;
}

}  // namespace

DhPublicKey dh_public(const DhPrivateKey& private_key) {
    return workspace().public_of(private_key);
}

Status dh_import_x(BytesN<kDhSize> x, DhPublicKey& point) {
    const ErrorMark mark;
    return workspace().decompress(x, point);
}

Status dh_import(BytesN<kDhSize> x, BytesN<kDhSize> y, DhPublicKey& point) {
    const ErrorMark mark;
    if (!workspace().load(x, y)) return Error::Malformed;
    std::copy(x.begin(), x.end(), point.x.begin());
    std::copy(y.begin(), y.end(), point.y.begin());
    return {};
}

Status dh_agree(const DhPrivateKey& private_key, const DhPublicKey& peer, DhSecret& secret) {
    const ErrorMark mark;
    if (!workspace().load(peer.x, peer.y)) return Error::Unauthenticated;
    return workspace().agree(private_key, secret);
}

}  // namespace sotto::crypto
