// SPDX-License-Identifier: Apache-2.0
// What is explored for dead states: a part of the line, the states that it may start from, and
// every kind of thing that can come to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sotto::dead_states {

// A part that does not do what it must.
class Dead : public std::runtime_error {
    using std::runtime_error::runtime_error;
};
inline void require(bool is_true, const char* what) {
    if (!is_true) throw Dead(what);
}

// One part in one state, with all that it needs around it.
class World {
  public:
    World() = default;
    virtual ~World() = default;
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // Lets a thing of this kind come. False if there is none now (no message to repeat, say): then
    // whatever follows is a shorter sequence, which is tried too. Throws Dead.
    virtual bool apply(std::size_t kind) = 0;
    // The next good handshake and command succeed. Throws Dead.
    virtual void expect_alive() = 0;
    // The same in two worlds only if they are in the same state; nothing if that can't be said.
    virtual std::optional<std::uint64_t> fingerprint() const { return std::nullopt; }
};

struct Part {
    std::string_view name;
    std::vector<std::string_view> starts;
    std::vector<std::string_view> kinds;
    std::function<std::unique_ptr<World>(std::size_t start)> make;
};

// A kind of a world of type W: its name and what it does.
template <class W>
struct Kind {
    std::string_view name;
    bool (*apply)(W&);
};

template <class W>
Part make_part(std::string_view name,
               std::vector<std::string_view> starts,
               std::span<const Kind<W>> kinds) {
    Part part{
        .name = name, .starts = std::move(starts), .kinds = {}, .make = [](std::size_t start) {
            return std::make_unique<W>(start);
        }};
    for (const Kind<W>& kind : kinds) part.kinds.push_back(kind.name);
    return part;
}

Part device_part();
Part app_part();
Part gateway_part();
Part cloud_part();
Part attachment_part();

inline std::vector<Part> all_parts() {
    return {device_part(), app_part(), gateway_part(), cloud_part(), attachment_part()};
}

}  // namespace sotto::dead_states
