// SPDX-License-Identifier: Apache-2.0
// A state machine whose transitions are a table. States are structs in a variant, its first the
// start and its last `Failed`; leaving a state destroys it and so wipes its secrets.
#pragma once

#include <array>
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

template <class Event>
struct Edge {
    std::uint8_t from;
    Event event;
    std::uint8_t to;
};

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

    // Goes to `next`, which must not be a part of the present state. A transition that the table
    // does not declare fails closed: Error::WrongState.
    template <class State>
    Status enter(Event event, State next) {
        if (!is_declared(index(), event, kIndexOf<Variant, State>)) return fail(Error::WrongState);
        state_.template emplace<State>(std::move(next));
        return {};
    }
    // The end of the handshake, from any state. Returns `why`.
    Status fail(Error why) {
        state_.template emplace<Failed>(Failed{why});
        return why;
    }

    static constexpr bool is_declared(std::uint8_t from, Event event, std::uint8_t to) {
        for (const Edge<Event>& edge : kEdges) {
            if (edge.from == from && edge.event == event && edge.to == to) return true;
        }
        return false;
    }

  private:
    Variant state_;
};

}  // namespace sotto::edhoc
