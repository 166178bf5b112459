// SPDX-License-Identifier: Apache-2.0
// Bytes that must not leak: move-only, wiped when they die or are moved from, compared in constant
// time, and readable only through expose(). No allocation; owns its bytes.
#pragma once

#include <array>

#include "core/base/bytes.hpp"

namespace sotto {

// Overwrites with zeros; the compiler may not drop it.
void wipe(MutBytes bytes);

// Compares in time that depends on the sizes alone.
bool ct_equal(Bytes a, Bytes b);

template <std::size_t N, class Tag>
class Secret {
  public:
    static constexpr std::size_t kSize = N;

    Secret() = default;
    explicit Secret(BytesN<N> bytes) { std::copy(bytes.begin(), bytes.end(), bytes_.begin()); }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            wipe(other.bytes_);
        }
        return *this;
    }
    ~Secret() { wipe(bytes_); }
    bool operator==(const Secret&) const = delete;  // compare with ct_equal()

    // The one way out. Reviewers search for it.
    BytesN<N> expose() const { return bytes_; }
    // To fill the secret in place, by the code that makes it.
    MutBytesN<N> fill() { return bytes_; }
    // It has been used for the last time.
    void clear() { wipe(bytes_); }
    // A second holder of the same secret, said out loud.
    Secret clone() const { return Secret{expose()}; }

  private:
    std::array<std::uint8_t, N> bytes_{};
};

// Working memory that held keys or plaintext: wiped when it goes out of scope.
template <std::size_t N>
class Scratch {
  public:
    Scratch() = default;
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { wipe(bytes_); }
    MutBytesN<N> bytes() { return bytes_; }

  private:
    std::array<std::uint8_t, N> bytes_{};
};

}  // namespace sotto
