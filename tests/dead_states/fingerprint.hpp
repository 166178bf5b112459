// SPDX-License-Identifier: Apache-2.0
// A number for a state, so that what is the same after two sequences is gone on with only once.
// Equal numbers mean equal states but for a chance of 2^-64; equal states mostly give equal
// numbers: bytes that no member owns may differ, which costs time and hides nothing.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/base/bytes.hpp"

namespace sotto::dead_states {

class Fingerprint {
  public:
    // The bytes of an object that holds its state in itself, as everything in core does. Addresses
    // are left out.
    template <class T>
    void object(const T& object) {
        const auto* at = reinterpret_cast<const std::uint8_t*>(&object);
        std::size_t size = sizeof(T);
        for (; size >= 8; size -= 8, at += 8) {
            std::uint64_t word;
            std::memcpy(&word, at, 8);
            if (!is_address(word)) mix(word);
        }
        for (; size > 0; --size, ++at) mix(*at);
    }
    void bytes(Bytes bytes) {
        mix(bytes.size());
        for (const std::uint8_t byte : bytes) mix(byte);
    }
    void number(std::uint64_t number) { mix(number); }

    std::uint64_t value() const { return state_; }

  private:
    // Where Linux on 64 bits maps what a process has.
    static bool is_address(std::uint64_t word) {
        return word >= 0x5500'0000'0000 && word < 0x8000'0000'0000;
    }
    void mix(std::uint64_t word) {
        state_ = (state_ ^ word) * 0x9e3779b97f4a7c15;
        state_ ^= state_ >> 32;
    }

    std::uint64_t state_ = 0x2545f4914f6cdd1d;
};

}  // namespace sotto::dead_states
