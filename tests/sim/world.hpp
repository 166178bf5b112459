// SPDX-License-Identifier: Apache-2.0
// Virtual time and chance for a simulation: events in the order of their time, everything repeated
// exactly for the same seed. Allocates; never blocks.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace sotto::sim {

using Message = std::vector<std::uint8_t>;

class Chance {
  public:
    explicit Chance(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();
    // Below `limit`.
    std::uint64_t below(std::uint64_t limit) { return next() % limit; }
    bool happens(double probability) {
        return static_cast<double>(next() >> 11) < probability * 9007199254740992.0;
    }

  private:
    std::uint64_t state_;
};

// What may become of a message on one hop.
struct Faults {
    double drop = 0;
    double duplicate = 0;
    double corrupt = 0;
    double delay = 0;  // by up to 8 s, so that others overtake it
    double crash = 0;  // of some process, in each second
};

class World {
  public:
    explicit World(std::uint64_t seed) : chance(seed) {}

    void at(Duration delay, std::function<void()> event);
    // Lets the time pass, with everything that is due in it.
    void run(Duration duration);

    // Carries a message over a hop that loses, repeats, damages and delays.
    void carry(const Message& message, const std::function<void(const Message&)>& arrive);

    Instant now{1'000'000};
    Chance chance;
    Faults faults;

  private:
    std::multimap<Instant, std::function<void()>> events_;
};

}  // namespace sotto::sim
