// SPDX-License-Identifier: Apache-2.0
// A value or an error, with the names of std::expected (C++23). No allocation; owns its value.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/error.hpp"

namespace sotto {

// What went wrong, if anything did.
template <class E>
class Fault {
  public:
    Fault() = default;
    explicit Fault(E error) : error_(std::move(error)) {}
    bool is_none() const { return !error_.has_value(); }
    const E& error() const { return *error_; }

  private:
    std::optional<E> error_;
};

// One byte: results are returned everywhere, and on a Cortex-M0 this is a fifth of all code.
template <>
class Fault<Error> {
  public:
    Fault() = default;
    explicit Fault(Error error) : code_(static_cast<std::uint_fast8_t>(error)) {}
    bool is_none() const { return code_ == 0; }
    Error error() const { return static_cast<Error>(code_); }

  private:
    std::uint_fast8_t code_ = 0;
};

template <class T, class E = Error>
class [[nodiscard]] Result {
  public:
    using value_type = T;

    // NOLINTNEXTLINE(google-explicit-constructor): an error is a result
    Result(E error) : fault_(std::move(error)) {}

    template <class U = T>
        requires(std::is_constructible_v<T, U &&> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, E>)
    // NOLINTNEXTLINE(google-explicit-constructor): and so is a value
    Result(U&& value) : value_(std::forward<U>(value)) {}
    // A default value, to be filled in place.
    explicit Result(std::in_place_t) : value_() {}

    Result(const Result& other)
        requires std::is_trivially_copyable_v<T>
    = default;
    Result(const Result& other)
        requires(std::is_copy_constructible_v<T> && !std::is_trivially_copyable_v<T>)
        : fault_(other.fault_) {
        construct(other);
    }
    Result(Result&& other) noexcept
        requires std::is_trivially_copyable_v<T>
    = default;
    Result(Result&& other) noexcept : fault_(std::move(other.fault_)) {
        construct(std::move(other));
    }

    Result& operator=(const Result& other)
        requires std::is_copy_constructible_v<T>
    {
        if (this != &other) {
            destroy();
            fault_ = other.fault_;
            construct(other);
        }
        return *this;
    }
    Result& operator=(Result&& other) noexcept {
        if (this != &other) {
            destroy();
            fault_ = std::move(other.fault_);
            construct(std::move(other));
        }
        return *this;
    }
    Result& operator=(E error) {
        destroy();
        fault_ = Fault<E>{std::move(error)};
        return *this;
    }
    ~Result()
        requires std::is_trivially_destructible_v<T>
    = default;
    ~Result() { destroy(); }

    bool has_value() const { return fault_.is_none(); }
    explicit operator bool() const { return has_value(); }

    // Precondition of the accessors: has_value(), or !has_value() for error().
    T& value() & { return *checked(); }
    const T& value() const& { return *checked(); }
    T&& value() && { return std::move(*checked()); }
    T& operator*() & { return *checked(); }
    const T& operator*() const& { return *checked(); }
    T&& operator*() && { return std::move(*checked()); }
    T* operator->() { return checked(); }
    const T* operator->() const { return checked(); }
    // The value, for SOTTO_TRY_ASSIGN, which has just looked.
    [[gnu::always_inline]] T&& unchecked() && { return std::move(value_); }
    [[gnu::always_inline]] decltype(auto) error() const {
        SOTTO_ASSERT(!has_value());
        return fault_.error();
    }

    template <class U>
    T value_or(U&& fallback) const& {
        return has_value() ? value_ : static_cast<T>(std::forward<U>(fallback));
    }

  private:
    [[gnu::always_inline]] T* checked() {
        SOTTO_ASSERT(has_value());
        return std::addressof(value_);
    }
    [[gnu::always_inline]] const T* checked() const {
        SOTTO_ASSERT(has_value());
        return std::addressof(value_);
    }
    template <class Other>
    void construct(Other&& other) {
        if (has_value()) {
            std::construct_at(std::addressof(value_), std::forward<Other>(other).value_);
        }
    }
    void destroy() {
        if (has_value()) std::destroy_at(std::addressof(value_));
    }

    union {
        T value_;
    };
    Fault<E> fault_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
  public:
    using value_type = void;

    Result() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): an error is a result
    Result(E error) : fault_(std::move(error)) {}

    bool has_value() const { return fault_.is_none(); }
    explicit operator bool() const { return has_value(); }
    void operator*() const { SOTTO_ASSERT(has_value()); }
    [[gnu::always_inline]] decltype(auto) error() const {
        SOTTO_ASSERT(!has_value());
        return fault_.error();
    }

  private:
    Fault<E> fault_;
};

using Status = Result<void>;

}  // namespace sotto

#define SOTTO_CONCAT_INNER(a, b) a##b
#define SOTTO_CONCAT(a, b) SOTTO_CONCAT_INNER(a, b)

// Returns the error of `expression` from the enclosing function, if it has one.
#define SOTTO_TRY(expression)                                               \
    do {                                                                    \
        auto&& sotto_try_result = (expression);                             \
        if (!sotto_try_result.has_value()) return sotto_try_result.error(); \
    } while (false)

// As SOTTO_TRY, and gives the value to `declaration`: SOTTO_TRY_ASSIGN(const auto x, reader.u8());
#define SOTTO_TRY_ASSIGN(declaration, expression) \
    SOTTO_TRY_ASSIGN_AS(SOTTO_CONCAT(sotto_try_, __LINE__), declaration, expression)
#define SOTTO_TRY_ASSIGN_AS(name, declaration, expression) \
    auto name = (expression);                              \
    if (!name.has_value()) return name.error();            \
    declaration = std::move(name).unchecked()
