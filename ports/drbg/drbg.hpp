// SPDX-License-Identifier: Apache-2.0
// Random numbers for keys from a noise source that may be weak or break: health tests, and a DRBG
// (HMAC_DRBG with SHA-256, NIST SP 800-90A; BearSSL's). No allocation; blocks on the source.
#pragma once

#include <bearssl.h>

#include "core/hal/entropy.hpp"
#include "ports/drbg/health_tests.hpp"

namespace sotto::ports {

class NoiseSource {
  public:
    // Samples are wanted from now on; none are for now, and what makes them may sleep.
    virtual void wake() = 0;
    virtual void rest() = 0;
    // The next raw sample, as the source gave it. Nothing: it gives none in any sensible time.
    virtual Result<std::uint8_t> sample() = 0;

  protected:
    ~NoiseSource() = default;  // owned by main
};

class Drbg final : public hal::Entropy {
  public:
    // Samples that are looked at and thrown away before the first is used (SP 800-90B, 4.3).
    static constexpr std::size_t kStartSamples = 1'024;
    // Samples in a seed: 512 bits of entropy if each is worth no more than one.
    static constexpr std::size_t kSeedSamples = 512;
    // Calls of fill() between seeds.
    static constexpr std::uint32_t kReseedInterval = 256;

    explicit Drbg(NoiseSource& source) : source_(source) {}
    ~Drbg();
    Drbg(const Drbg&) = delete;
    Drbg& operator=(const Drbg&) = delete;

    // Error::EntropyFailed, from then on for ever, if the source is not sound.
    Status fill(MutBytes out) override;
    bool has_failed() const { return has_failed_; }

  private:
    Status start();
    Status reseed();
    Result<std::uint8_t> tested_sample();

    NoiseSource& source_;
    HealthTests tests_;
    br_hmac_drbg_context context_{};
    std::uint32_t calls_left_ = 0;
    bool is_started_ = false;
    bool has_failed_ = false;
};

}  // namespace sotto::ports
