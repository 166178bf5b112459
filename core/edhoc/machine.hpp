// SPDX-License-Identifier: Apache-2.0
// A state machine whose transitions are a table, held against it by the compiler. What a state
// keeps is its owner's, who wipes what the next one has no use for.
#pragma once

#include <array>

#include "core/base/assert.hpp"
#include "core/base/result.hpp"

namespace sotto::edhoc {

template <class State, class Event>
struct Edge {
    State from;
    Event event;
    State to;
    friend bool operator==(const Edge&, const Edge&) = default;
};

template <class State, class Event, std::size_t kCount>
constexpr bool is_declared(const std::array<Edge<State, Event>, kCount>& edges,
                           const Edge<State, Event>& edge) {
    for (const auto& each : edges) {
        if (each == edge) return true;
    }
    return false;
}

// `State` begins with State{} and has a State::Failed, which nothing leads out of.
template <class State, const auto& kEdges>
class Machine {
  public:
    State state() const { return state_; }
    bool is(State state) const { return state_ == state; }

    // A transition that the table does not declare does not compile. Precondition: is(kFrom).
    template <auto kEvent, State kFrom, State kTo>
    void enter() {
        static_assert(is_declared(kEdges, Edge{kFrom, kEvent, kTo}));
        SOTTO_ASSERT(is(kFrom));
        state_ = kTo;
    }
    // The end of the handshake, from any state. Returns `why`.
    Status fail(Error why) {
        state_ = State::Failed;
        return why;
    }

  private:
    State state_{};
};

}  // namespace sotto::edhoc
