// SPDX-License-Identifier: Apache-2.0
// hal::Entropy that gives the same bytes for the same seed, and can fail. Never for products.
#pragma once

#include <optional>

#include "core/hal/entropy.hpp"

namespace sotto::testing {

class SeededEntropy final : public hal::Entropy {
  public:
    explicit SeededEntropy(std::uint64_t seed) : state_(seed) {}

    // The call with this index, counted from 0 from now on, fails.
    void fail_call(std::size_t index) { calls_until_failure_ = index; }

    Status fill(MutBytes out) override {
        if (calls_until_failure_ && (*calls_until_failure_)-- == 0) {
            calls_until_failure_.reset();
            return Error::EntropyFailed;
        }
        for (std::uint8_t& byte : out) byte = next();
        return {};
    }

  private:
    // SplitMix64: public domain, by Sebastiano Vigna.
    std::uint8_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return static_cast<std::uint8_t>((z ^ z >> 31) >> 56);
    }

    std::uint64_t state_;
    std::optional<std::size_t> calls_until_failure_;
};

}  // namespace sotto::testing
