// SPDX-License-Identifier: Apache-2.0
// A state machine whose transitions are a table, held against it by the compiler. States are
// structs in a variant, its first the start and its last `Failed`; leaving a state destroys it and
// so wipes its secrets.
#pragma once

#include <array>
#include <variant>

#include "core/base/result.hpp"

namespace sotto::edhoc {

struct Failed {
    Error why{};
};

namespace detail {
template <class State, class... States>
constexpr std::uint8_t index_in(const std::variant<States...>*) {
    std::uint8_t index = 0;
    const bool found = ((std::is_same_v<State, States> || (++index, false)) || ...);
    return found ? index : 0xff;
}
}  // namespace detail

template <class Variant, class State>
inline constexpr std::uint8_t kIndexOf =
    detail::index_in<State>(static_cast<const Variant*>(nullptr));

struct Edge {
    std::uint8_t from;
    std::uint8_t event;
    std::uint8_t to;
    friend bool operator==(const Edge&, const Edge&) = default;
};

template <class Variant, class From, class To, class Event>
constexpr Edge edge(Event event) {
    return {kIndexOf<Variant, From>, static_cast<std::uint8_t>(event), kIndexOf<Variant, To>};
}

template <std::size_t kCount>
constexpr bool is_declared(const std::array<Edge, kCount>& edges, const Edge& edge) {
    for (const Edge& each : edges) {
        if (each == edge) return true;
    }
    return false;
}

template <class Variant, const auto& kEdges>
class Machine {
  public:
    // The state, if it is a `State`; otherwise null.
    template <class State>
    State* in() {
        return std::get_if<State>(&state_);
    }
    template <class State>
    const State* in() const {
        return std::get_if<State>(&state_);
    }

    // Leaves the present state, which is wiped, and enters a new one, for the caller to fill. A
    // transition that the table does not declare does not compile. Precondition: in<From>().
    template <auto kEvent, class From, class To>
    To& enter() {
        static_assert(is_declared(kEdges, edge<Variant, From, To>(kEvent)));
        SOTTO_ASSERT(in<From>() != nullptr);
        return state_.template emplace<To>();
    }
    // The end of the handshake, from any state. Returns `why`.
    Status fail(Error why) {
        state_.template emplace<Failed>(Failed{why});
        return why;
    }

  private:
    Variant state_;
};

}  // namespace sotto::edhoc
