// SPDX-License-Identifier: Apache-2.0
// The functions, variables and events of a sketch. No allocation: it keeps references to the
// sketch's own objects, which must outlive it.
#pragma once

#include "core/base/fixed_vector.hpp"
#include "device/sdk/value.hpp"

namespace sotto::device {

inline constexpr std::size_t kFunctionCountMax = 8;
inline constexpr std::size_t kVariableCountMax = 16;
inline constexpr std::size_t kEventCountMax = 8;
inline constexpr std::size_t kNameSizeMax = 32;

enum class Repetition : std::uint8_t { Counts, Harmless };

class Catalog final : public session::Resources {
  public:
    // Each of these: Error::InvalidArgument if the name is empty, too long or has other characters
    // than letters, digits, '-', '_' and '.'; Error::AlreadyExists; Error::NoSpace.

    // A callable (std::string_view argument) -> Value or Result<Value> or what converts to Value.
    template <class Function>
    Status function(std::string_view name,
                    Function& callable,
                    Repetition repetition = Repetition::Counts) {
        return function(name, callable, MutBytes{}, repetition);
    }
    // The same for arguments and results that are too large for one message: they are put together
    // in `room`, and are as large as that, up to session::kBodySizeMax. Functions may share a room;
    // they take turns.
    template <class Function>
    Status function(std::string_view name,
                    Function& callable,
                    MutBytes room,
                    Repetition repetition = Repetition::Counts) {
        return add_function({.name = name,
                             .repetition = repetition,
                             .room = room,
                             .object = &callable,
                             .invoke = &invoke<Function>});
    }
    // A number, truth or text of the sketch, read where it lies. A text is as long as it likes, up
    // to session::kBodySizeMax; who reads it gets it as it was at one moment.
    template <class T>
    Status variable(std::string_view name, const T& variable) {
        return add_variable({.name = name, .object = &variable, .read = &read_value<T>});
    }
    Status event(std::string_view name);

    bool find(session::ResourceKind kind,
              std::string_view name,
              session::Traits& traits) const override;
    Status call(std::uint8_t function,
                const session::Content& argument,
                session::Format wanted,
                session::Excerpt& out) override;
    Status read(std::uint8_t variable, session::Format wanted, session::Excerpt& out) override;
    Status describe(session::Excerpt& out) const override;

    // The same without a format: an argument as text, a result or variable as it is.
    Result<Value> run(std::uint8_t function, std::string_view argument) {
        return functions_[function].invoke(functions_[function].object, argument);
    }
    Value value(std::uint8_t variable) const {
        return variables_[variable].read(variables_[variable].object);
    }

  private:
    struct Function {
        std::string_view name;
        Repetition repetition = Repetition::Counts;
        MutBytes room = {};
        void* object = nullptr;
        Result<Value> (*invoke)(void*, std::string_view) = nullptr;
    };
    struct Variable {
        std::string_view name;
        const void* object = nullptr;
        Value (*read)(const void*) = nullptr;
    };
    struct Event {
        std::string_view name;
    };

    template <class F>
    static Result<Value> invoke(void* object, std::string_view argument) {
        return (*static_cast<F*>(object))(argument);
    }
    template <class T>
    static Value read_value(const void* object) {
        return Value{*static_cast<const T*>(object)};
    }
    Status add_function(Function function);
    Status add_variable(Variable variable);

    FixedVector<Function, kFunctionCountMax> functions_;
    FixedVector<Variable, kVariableCountMax> variables_;
    FixedVector<Event, kEventCountMax> events_;
};

}  // namespace sotto::device
