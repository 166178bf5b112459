// SPDX-License-Identifier: Apache-2.0
#include "app/cli/stored_sequence.hpp"

#include <array>

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"

namespace sotto::app {
namespace {

constexpr hal::RecordId kRecord{0x0481};  // u64: numbers below this may have been used
constexpr std::uint32_t kStep = 64;

Failure cannot_store(const std::string& why) {
    return {Trouble::State, why, "Check disk and permissions, or name another folder with --state"};
}

}  // namespace

Outcome<StoredSequenceNumbers> StoredSequenceNumbers::open(const std::string& folder, Known known) {
    auto storage = ports::FileStorage::open(folder);
    if (!storage) return cannot_store(storage.error().detail);
    if (storage->is_copy())
        return Failure{Trouble::State,
                       "the numbers in " + folder + " are a copy: others may have been used since",
                       "Take a new context; with this one a number could be used twice"};
    std::array<std::uint8_t, 8> record{};
    const auto size = storage->load(kRecord, record);
    if (size) {
        Reader in{Bytes{record}.first(*size)};
        const auto next = in.u64_be();
        if (!next || *next > oscore::kPivMax + 1)
            return cannot_store(folder + " holds what is no sequence number");
        return StoredSequenceNumbers{*std::move(storage), oscore::Piv{*next}};
    }
    if (size.error() != Error::NotFound) return cannot_store(folder + " cannot be read");
    if (known == Known::New) return StoredSequenceNumbers{*std::move(storage), oscore::Piv{0}};
    return Failure{Trouble::State,
                   "it is not known which numbers of this context have been used",
                   "If nobody ever used it, say so with --new-context; otherwise take a new one"};
}

Outcome<oscore::Piv> StoredSequenceNumbers::take() {
    if (!sequence_.has_reserved()) {
        const oscore::Piv reservation = sequence_.reservation(kStep);
        std::array<std::uint8_t, 8> record{};
        Writer{record}.u64_be(reservation.value());
        if (!storage_.store(kRecord, record))
            return cannot_store("the numbers of this context cannot be stored");
        sequence_.on_stored(reservation);
    }
    const auto piv = sequence_.next();
    if (!piv) return Failure{Trouble::State, "this context is used up", "Take a new one"};
    return *piv;
}

}  // namespace sotto::app
