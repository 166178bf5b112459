// SPDX-License-Identifier: Apache-2.0
#include "ports/drbg/drbg.hpp"

#include "core/base/secret.hpp"

namespace sotto::ports {

Drbg::~Drbg() { wipe({reinterpret_cast<std::uint8_t*>(&context_), sizeof(context_)}); }

Status Drbg::fill(MutBytes out) {
    if (!has_failed_ && calls_left_ == 0) {
        source_.wake();
        has_failed_ = !start() || !reseed();
        source_.rest();
    }
    if (has_failed_) {
        wipe(out);
        return Error::EntropyFailed;
    }
    --calls_left_;
    br_hmac_drbg_generate(&context_, out.data(), out.size());
    return {};
}

Status Drbg::start() {
    if (is_started_) return {};
    for (std::size_t i = 0; i < kStartSamples; ++i) {
        SOTTO_TRY_ASSIGN([[maybe_unused]] const std::uint8_t thrown_away, tested_sample());
    }
    br_hmac_drbg_init(&context_, &br_sha256_vtable, nullptr, 0);
    is_started_ = true;
    return {};
}

Status Drbg::reseed() {
    Scratch<64> block;
    for (std::size_t taken = 0; taken < kSeedSamples; taken += block.bytes().size()) {
        for (std::uint8_t& byte : block.bytes()) {
            SOTTO_TRY_ASSIGN(byte, tested_sample());
        }
        br_hmac_drbg_update(&context_, block.bytes().data(), block.bytes().size());
    }
    calls_left_ = kReseedInterval;
    return {};
}

Result<std::uint8_t> Drbg::tested_sample() {
    const auto sample = source_.sample();
    if (!sample || !tests_.take(*sample)) return Error::EntropyFailed;
    return *sample;
}

}  // namespace sotto::ports
