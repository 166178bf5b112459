// SPDX-License-Identifier: Apache-2.0
// A value or an error, with the names of std::expected (C++23). No allocation; owns its value.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/error.hpp"

namespace sotto {

template <class T, class E = Error>
class [[nodiscard]] Result {
  public:
    using value_type = T;

    // NOLINTNEXTLINE(google-explicit-constructor): an error is a result
    Result(E error) : error_(std::move(error)), has_value_(false) {}

    template <class U = T>
        requires(std::is_constructible_v<T, U &&> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, E>)
    // NOLINTNEXTLINE(google-explicit-constructor): and so is a value
    Result(U&& value) : value_(std::forward<U>(value)), has_value_(true) {}

    Result(const Result& other)
        requires std::is_copy_constructible_v<T>
        : has_value_(other.has_value_) {
        construct(other);
    }
    Result(Result&& other) noexcept : has_value_(other.has_value_) { construct(std::move(other)); }

    Result& operator=(const Result& other)
        requires std::is_copy_constructible_v<T>
    {
        if (this != &other) {
            destroy();
            has_value_ = other.has_value_;
            construct(other);
        }
        return *this;
    }
    Result& operator=(Result&& other) noexcept {
        if (this != &other) {
            destroy();
            has_value_ = other.has_value_;
            construct(std::move(other));
        }
        return *this;
    }
    ~Result() { destroy(); }

    bool has_value() const { return has_value_; }
    explicit operator bool() const { return has_value_; }

    // Precondition of the accessors: has_value(), or !has_value() for error().
    T& value() & { return *checked(); }
    const T& value() const& { return *checked(); }
    T&& value() && { return std::move(*checked()); }
    T& operator*() & { return *checked(); }
    const T& operator*() const& { return *checked(); }
    T&& operator*() && { return std::move(*checked()); }
    T* operator->() { return checked(); }
    const T* operator->() const { return checked(); }
    const E& error() const {
        SOTTO_ASSERT(!has_value_);
        return error_;
    }

    template <class U>
    T value_or(U&& fallback) const& {
        return has_value_ ? value_ : static_cast<T>(std::forward<U>(fallback));
    }

  private:
    T* checked() {
        SOTTO_ASSERT(has_value_);
        return std::addressof(value_);
    }
    const T* checked() const {
        SOTTO_ASSERT(has_value_);
        return std::addressof(value_);
    }
    template <class Other>
    void construct(Other&& other) {
        if (has_value_) {
            std::construct_at(std::addressof(value_), std::forward<Other>(other).value_);
        } else {
            std::construct_at(std::addressof(error_), std::forward<Other>(other).error_);
        }
    }
    void destroy() {
        if (has_value_) {
            std::destroy_at(std::addressof(value_));
        } else {
            std::destroy_at(std::addressof(error_));
        }
    }

    union {
        T value_;
        E error_;
    };
    bool has_value_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
  public:
    using value_type = void;

    Result() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): an error is a result
    Result(E error) : error_(std::move(error)), has_value_(false) {}

    bool has_value() const { return has_value_; }
    explicit operator bool() const { return has_value_; }
    void operator*() const { SOTTO_ASSERT(has_value_); }
    const E& error() const {
        SOTTO_ASSERT(!has_value_);
        return error_;
    }

  private:
    E error_{};
    bool has_value_ = true;
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
    declaration = *std::move(name)
