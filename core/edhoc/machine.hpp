// SPDX-License-Identifier: Apache-2.0
// A state machine whose transitions are a table. States are structs in a variant, its first the
// start and its last `Failed`; leaving a state destroys it and so wipes its secrets.
#pragma once

#include <span>
#include <utility>
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

bool is_declared(std::span<const Edge> edges, const Edge& edge);

template <class Variant, class Event, const auto& kEdges>
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
    std::uint8_t index() const { return static_cast<std::uint8_t>(state_.index()); }

    // Leaves the present state, which is wiped, and enters a new one, for the caller to fill. A
    // transition that the table does not declare fails closed and returns null.
    template <class State>
    State* enter(Event event) {
        if (!may_enter(kIndexOf<Variant, State>, event)) return nullptr;
        return &state_.template emplace<State>();
    }
    // The end of the handshake, from any state. Returns `why`.
    Status fail(Error why) {
        state_.template emplace<Failed>(Failed{why});
        return why;
    }

  private:
    bool may_enter(std::uint8_t to, Event event) {
        if (is_declared(kEdges, {index(), static_cast<std::uint8_t>(event), to})) return true;
        static_cast<void>(fail(Error::WrongState));
        return false;
    }

    Variant state_;
};

}  // namespace sotto::edhoc
