// SPDX-License-Identifier: Apache-2.0
#include "device/boot/journal.hpp"

#include "device/boot/layout.hpp"

namespace sotto::boot {
namespace {

constexpr std::size_t kWord = ports::Flash::kWordSize;
constexpr std::uint32_t kErased = 0xffff'ffff;

// An entry: 16 bits and their complement. Flash that is written loses ones and flash that is erased
// gains them, so what was cut short is never another entry.
constexpr std::uint16_t kFormat = 1;
constexpr unsigned kFormatShift = 12;
constexpr unsigned kGenerationShift = 14;  // of the page; 2 bits: two pages differ by 1
constexpr unsigned kActiveShift = 11;
constexpr unsigned kTrialShift = 10;
constexpr unsigned kOutcomeShift = 8;
constexpr unsigned kBootsShift = 4;
constexpr std::uint16_t kBootsMax = 15;

constexpr std::uint32_t word_of(std::uint16_t entry) {
    return std::uint32_t{entry} << 16U | static_cast<std::uint16_t>(~entry);
}

constexpr bool is_entry(std::uint32_t word) {
    const auto entry = static_cast<std::uint16_t>(word >> 16U);
    return word == word_of(entry) && (entry >> kFormatShift & 3U) == kFormat;
}

constexpr unsigned generation_of(std::uint16_t entry) { return entry >> kGenerationShift; }

std::uint16_t encode(const State& state, unsigned generation) {
    return static_cast<std::uint16_t>((generation & 3U) << kGenerationShift |
                                      kFormat << kFormatShift |
                                      static_cast<unsigned>(state.active) << kActiveShift |
                                      static_cast<unsigned>(state.is_on_trial) << kTrialShift |
                                      static_cast<unsigned>(state.outcome) << kOutcomeShift |
                                      (state.boots & kBootsMax) << kBootsShift);
}

State decode(std::uint16_t entry) {
    return {.active = static_cast<Slot>(entry >> kActiveShift & 1U),
            .is_on_trial = (entry >> kTrialShift & 1U) != 0,
            .boots = static_cast<std::uint8_t>(entry >> kBootsShift & kBootsMax),
            .outcome = static_cast<Outcome>(entry >> kOutcomeShift & 3U)};
}

}  // namespace

Journal::Page Journal::look_at(std::size_t page) const {
    Page found;
    for (std::size_t at = 0; at < size(); at += kWord) {
        const std::uint32_t word = word_at(flash_.bytes(), page * size() + at);
        if (word != kErased) found.end = at + kWord;
        if (is_entry(word)) found.last = static_cast<std::uint16_t>(word >> 16U);
    }
    return found;
}

// The page that was begun later.
std::size_t Journal::current(const Page& first, const Page& second) const {
    if (!second.last) return 0;
    if (!first.last) return 1;
    return ((generation_of(*first.last) + 1U) & 3U) == generation_of(*second.last) ? 1 : 0;
}

State Journal::state() const {
    const Page pages[] = {look_at(0), look_at(1)};
    const Page& page = pages[current(pages[0], pages[1])];
    return page.last ? decode(*page.last) : State{};
}

// The former page stays as it is until the next change: nothing is lost if this one is cut short.
Status Journal::append(const State& state) {
    const Page pages[] = {look_at(0), look_at(1)};
    std::size_t index = current(pages[0], pages[1]);
    const Page& page = pages[index];
    unsigned generation = page.last ? generation_of(*page.last) : 0;
    std::size_t at = page.end;
    if (at == size()) {
        index = 1 - index;
        ++generation;
        at = 0;
        SOTTO_TRY(flash_.erase_page(index * size()));
    }
    return flash_.write_word(index * size() + at, word_of(encode(state, generation)));
}

// It is written even if nothing changes: a word whose writing was cut short may read another way
// after the next boot, and what follows it is what counts.
Slot start(Journal& journal) {
    State state = journal.state();
    const Slot former = state.active;
    if (state.is_on_trial && state.boots >= kTrialBoots) {
        state = {.active = former, .outcome = Outcome::Boots};
    } else if (state.is_on_trial) {
        ++state.boots;
    }
    // A start that cannot be counted is none of an image on trial: it might go on for ever.
    if (!journal.append(state)) return former;
    return state.is_on_trial ? other(former) : former;
}

Status install(Journal& journal) {
    return journal.append({.active = journal.state().active, .is_on_trial = true});
}

Status confirm(Journal& journal) {
    const State state = journal.state();
    if (!state.is_on_trial) return {};
    return journal.append({.active = other(state.active), .outcome = Outcome::Confirmed});
}

Status give_up(Journal& journal, Outcome outcome) {
    return journal.append({.active = journal.state().active, .outcome = outcome});
}

}  // namespace sotto::boot
