// SPDX-License-Identifier: Apache-2.0
// Which of the two images a chip runs, and whether one of them is on trial: the boot program and
// the firmware write it, and a power cut at any flash operation leaves what was or what was to be
// (docs/formats/update.md). No allocation; blocks while the flash is written.
#pragma once

#include <optional>

#include "device/boot/limits.hpp"
#include "ports/flash/flash.hpp"

namespace sotto::boot {

enum class Slot : std::uint8_t { A = 0, B = 1 };
constexpr Slot other(Slot slot) { return slot == Slot::A ? Slot::B : Slot::A; }

// How the last trial of an image ended.
enum class Outcome : std::uint8_t {
    None = 0,       // there was none, or it is not over
    Confirmed = 1,  // its owner reached it
    Boots = 2,      // it was started too often without that
    Time = 3,       // or ran for too long
};

struct State {
    Slot active = Slot::A;     // the one that works; during a trial the one to go back to
    bool is_on_trial = false;  // the other one is
    std::uint8_t boots = 0;    // of the one on trial, so far
    Outcome outcome = Outcome::None;

    friend bool operator==(const State&, const State&) = default;
};

// Words behind each other on two pages, the last of which counts.
class Journal {
  public:
    // Borrows. Precondition: two pages.
    explicit Journal(ports::Flash& flash) : flash_(flash) {}

    // The last that was written; State{} if nothing ever was. What power cut short may count now
    // and not later: whoever acts on it appends it first.
    State state() const;
    // Durable when it returns. Error::StorageFailed: what was before counts, or this.
    Status append(const State& state);

  private:
    struct Page {
        std::size_t end = 0;                // behind the last word that is not erased
        std::optional<std::uint16_t> last;  // the last whole entry
    };
    std::size_t size() const { return flash_.bytes().size() / 2; }
    Page look_at(std::size_t page) const;
    std::size_t current(const Page& first, const Page& second) const;

    ports::Flash& flash_;
};

// What a boot does: decides, stores it, and says which image is to be started.
Slot start(Journal& journal);

// Puts the image of the other slot on trial, from the next boot on. Error::StorageFailed.
Status install(Journal& journal);
// The image that runs is on trial no more: it has proved itself. Error::StorageFailed.
Status confirm(Journal& journal);
// The trial is over: from the next boot on the former image runs. Error::StorageFailed.
Status give_up(Journal& journal, Outcome outcome);

}  // namespace sotto::boot
