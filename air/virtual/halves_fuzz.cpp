// SPDX-License-Identifier: Apache-2.0
// Either end of the virtual air against any bytes; the first byte chooses the state in which they
// arrive. Afterwards the next good frame must get through.
#include "air/virtual/halves.hpp"
#include "core/base/assert.hpp"

using namespace sotto;
using namespace sotto::air;

namespace {

using Buffer = std::vector<std::uint8_t>;

template <class Half>
std::size_t count_frames(Half& half, Bytes input) {
    std::size_t count = 0;
    while (const auto event = half.next(input)) {
        if (const auto* received = std::get_if<FrameReceived>(&*event)) {
            SOTTO_ASSERT(!received->frame.empty());
            ++count;
        }
    }
    SOTTO_ASSERT(input.empty());
    return count;
}

void connect(PeripheralHalf& peripheral, CentralHalf& central) {
    Buffer bytes{0};
    SOTTO_ASSERT(PeripheralHalf::append_advertisement(bytes, {.name = "fuzz"}).has_value());
    count_frames(central, bytes);
    Buffer subscribe{0};
    central.append_subscribe(subscribe);
    count_frames(peripheral, subscribe);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    PeripheralHalf peripheral{64};
    CentralHalf central{64};
    const Bytes garbage = Bytes{data, size}.subspan(1);
    if (data[0] % 2 == 0) {
        count_frames(peripheral, garbage);  // before anything else
        connect(peripheral, central);
    } else {
        connect(peripheral, central);
        count_frames(peripheral, garbage);
        count_frames(central, garbage);
    }
    const Buffer end{0};  // the garbage may still become a frame here
    count_frames(peripheral, end);
    count_frames(central, end);
    const Buffer frame(200, 9);
    Buffer bytes;
    SOTTO_ASSERT(central.append_frame(bytes, frame).has_value());
    SOTTO_ASSERT(count_frames(peripheral, bytes) == 1);
    bytes.clear();
    SOTTO_ASSERT(peripheral.append_frame(bytes, frame).has_value());
    SOTTO_ASSERT(count_frames(central, bytes) == 1);
    return 0;
}
