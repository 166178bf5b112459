// SPDX-License-Identifier: Apache-2.0
// A vector of at most N elements, stored inside. No allocation; owns its elements.
#pragma once

#include <array>
#include <cstddef>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto {

template <class T, std::size_t N>
class FixedVector {
  public:
    FixedVector() = default;
    FixedVector(const FixedVector& other) {
        for (const T& item : other) emplace_back(item);
    }
    FixedVector(FixedVector&& other) noexcept {
        for (T& item : other) emplace_back(std::move(item));
        other.clear();
    }
    FixedVector& operator=(const FixedVector& other) {
        if (this != &other) {
            clear();
            for (const T& item : other) emplace_back(item);
        }
        return *this;
    }
    FixedVector& operator=(FixedVector&& other) noexcept {
        if (this != &other) {
            clear();
            for (T& item : other) emplace_back(std::move(item));
            other.clear();
        }
        return *this;
    }
    ~FixedVector() { clear(); }

    static constexpr std::size_t capacity() { return N; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    bool full() const { return size_ == N; }

    T* begin() { return data(); }
    T* end() { return data() + size_; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + size_; }
    T* data() { return &storage_.items[0]; }
    const T* data() const { return &storage_.items[0]; }

    // Precondition: index < size().
    T& operator[](std::size_t index) {
        SOTTO_ASSERT(index < size_);
        return storage_.items[index];
    }
    const T& operator[](std::size_t index) const {
        SOTTO_ASSERT(index < size_);
        return storage_.items[index];
    }
    T& back() { return (*this)[size_ - 1]; }

    // Precondition: !full(). Check first, or use try_push_back.
    template <class... Args>
    T& emplace_back(Args&&... args) {
        SOTTO_ASSERT(size_ < N);
        T* place = std::construct_at(&storage_.items[size_], std::forward<Args>(args)...);
        ++size_;
        return *place;
    }
    // Error::NoSpace if full.
    Status try_push_back(T item) {
        if (full()) return Error::NoSpace;
        emplace_back(std::move(item));
        return {};
    }
    // Removes one element; the order of the others stays.
    void erase(T* position) {
        SOTTO_ASSERT(position >= begin() && position < end());
        for (T* next = position + 1; next != end(); ++position, ++next)
            *position = std::move(*next);
        pop_back();
    }
    void pop_back() {
        SOTTO_ASSERT(size_ > 0);
        --size_;
        std::destroy_at(&storage_.items[size_]);
    }
    void clear() {
        while (size_ > 0) pop_back();
    }

  private:
    union Storage {
        Storage() {}
        ~Storage() {}
        T items[N];
    } storage_;
    std::size_t size_ = 0;
};

// Copies to the front of `room`. How many bytes. Precondition: there is room.
std::size_t copy_to(MutBytes room, Bytes bytes);

// Bytes of at most N, stored inside.
template <std::size_t N>
class FixedBytes {
  public:
    FixedBytes() {}  // NOLINT(modernize-use-equals-default): bytes that count are written first
    // Precondition: bytes.size() <= N. For peers' bytes use from().
    explicit FixedBytes(Bytes bytes) { assign(bytes); }
    void assign(Bytes bytes) { size_ = static_cast<Size>(copy_to(bytes_, bytes)); }
    // Error::TooLarge if it does not fit.
    static Result<FixedBytes> from(Bytes bytes) {
        if (bytes.size() > N) return Error::TooLarge;
        return FixedBytes{bytes};
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    // What is in bytes that are added is for the caller to say, by fill(). Precondition: size <= N.
    void resize(std::size_t size) {
        SOTTO_ASSERT(size <= N);
        size_ = static_cast<Size>(size);
    }
    MutBytes fill() { return MutBytes{bytes_}.first(size_); }
    Bytes view() const { return Bytes{bytes_}.first(size_); }
    operator Bytes() const { return view(); }  // NOLINT(google-explicit-constructor)
    // For public data; not constant-time.
    friend bool operator==(const FixedBytes& a, const FixedBytes& b) {
        return equal(a.view(), b.view());
    }

  private:
    static_assert(N <= 0xffff);
    using Size = std::conditional_t<(N <= 0xff), std::uint8_t, std::uint16_t>;

    Size size_ = 0;  // in front: a Cortex-M0 reaches a byte in the first 32 of an object at once
    std::array<std::uint8_t, N> bytes_;
};

}  // namespace sotto
